"""Forms of the staff's pages; each keeps what was typed, but for what is secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, EqualTo, Length, Optional, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from app.auth.secrets import LEAST, MOST
from app.forms import EARLIEST, LATEST
from geodata.repositories.people import LONGEST_DISPLAY
from geodata.repositories.sessions import DEFAULT_DAYS, LONGEST_LABEL, MOST_DAYS
from geodata.roles import ROLES, SCOPES

if TYPE_CHECKING:
    from wtforms import Field
    from wtforms.form import BaseForm

LONGEST_EMAIL = 254  # RFC 5321
TYPED = 512  # characters of a name or code that are looked at
LONGEST_WHOLE = 18  # digits
TOKEN_DAYS = {7: "a week", 30: "30 days", DEFAULT_DAYS: "90 days", MOST_DAYS: "a year"}
REPEAT = "type the same password twice"


def require_calendar(_form: BaseForm, field: Field) -> None:
    """Refuse a day that no rows are of, and beside which there may be none."""
    if field.data is not None and not EARLIEST <= field.data <= LATEST:
        msg = f"give a day from {EARLIEST} to {LATEST}"
        raise StopValidation(msg)


class ChecksField(SelectMultipleField):
    """Several choices, each a check box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class WholeField(IntegerField):
    """A whole number of no more digits than any setting has; Python reads longer ones slowly."""

    data: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed.

        Raises
        ------
        ValueError
            If it is no whole number, or one of more digits than can be meant.
        """
        if valuelist and len(valuelist[0].strip()) > LONGEST_WHOLE:
            self.data = None
            msg = f"a whole number of at most {LONGEST_WHOLE} digits"
            raise ValueError(msg)
        super().process_formdata(valuelist)


class SignInForm(FlaskForm):
    """Name and password."""

    name = StringField("Name", [DataRequired("type your name"), Length(max=TYPED)])
    password = PasswordField("Password", [DataRequired("type your password"), Length(max=4 * MOST)])


class CodeForm(FlaskForm):
    """A one-time or a recovery code."""

    code = StringField("Code", [DataRequired("type the code"), Length(max=TYPED)])


class NewPasswordForm(FlaskForm):
    """A password, typed twice."""

    password = PasswordField(
        "New password",
        [DataRequired("choose a password"), Length(max=4 * MOST)],
        description=f"At least {LEAST} characters. A few words in a row are easy to remember.",
    )
    again = PasswordField("The same once more", [DataRequired(REPEAT), EqualTo("password", REPEAT)])


class ChangePasswordForm(NewPasswordForm):
    """The present password and a new one."""

    present = PasswordField(
        "Present password", [DataRequired("type your present password"), Length(max=4 * MOST)]
    )


class PresentPasswordForm(FlaskForm):
    """The present password, before something weighty."""

    present = PasswordField(
        "Present password", [DataRequired("type your present password"), Length(max=4 * MOST)]
    )


class NewTokenForm(FlaskForm):
    """An access token that is to be made."""

    label = StringField(
        "What it is for",
        [DataRequired("say what the token is for"), Length(max=LONGEST_LABEL)],
        description="So that you know it again, such as: weekly notebook.",
    )
    scopes = ChecksField(
        "It may",
        [DataRequired("choose what the token may do")],
        choices=[SelectChoice(scope, f"{scope}: {told}") for scope, told in SCOPES.items()],
        default=["read"],
    )
    days = RadioField(
        "It holds",
        choices=[SelectChoice(days, told) for days, told in TOKEN_DAYS.items()],
        coerce=int,
        default=DEFAULT_DAYS,
    )
    present = PasswordField(
        "Your password", [DataRequired("type your password"), Length(max=4 * MOST)]
    )


class RolesForm(FlaskForm):
    """Roles and districts of a person."""

    roles = ChecksField(
        "Roles",
        [DataRequired("choose a role at least")],
        choices=[SelectChoice(role, f"{role}: {told}") for role, told in ROLES.items()],
    )
    districts = ChecksField(
        "Districts",
        [Optional()],
        description="Officers and commanders see their own districts only.",
    )


class NewPersonForm(RolesForm):
    """Somebody who is to be let in."""

    name = StringField(
        "Name to sign in with",
        [DataRequired("give a name"), Length(max=TYPED)],
        description="Small letters, digits, dots, dashes; an e-mail address will do.",
    )
    display = StringField(
        "Name to show",
        [Optional(), Length(max=LONGEST_DISPLAY)],
        description="As colleagues know the person.",
    )
    how = RadioField(
        "Signs in",
        choices=[
            SelectChoice("password", "with a password and codes"),
            SelectChoice("provider", "through the provider"),
        ],
        default="password",
    )


class EmailForm(FlaskForm):
    """Where somebody receives mail."""

    email = StringField(
        "Mail address",
        [Optional(), Length(max=LONGEST_EMAIL)],
        description="Mail says that a draft waits or was returned; empty for none.",
    )


class RemoveForm(FlaskForm):
    """A city or run that is to be removed for ever, typed."""

    name = StringField(
        "Type it to confirm",
        [DataRequired("type it exactly as it stands above"), Length(max=TYPED)],
    )


class ConfirmForm(FlaskForm):
    """A step that has to be meant."""

    sure = BooleanField("I mean it", [DataRequired("tick the box to go on")])
