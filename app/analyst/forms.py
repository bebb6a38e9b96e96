"""Forms of the workbench; each keeps what was typed."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length

LONGEST_REASON = 500


class WithdrawForm(FlaskForm):
    """Why a release is taken from the public pages."""

    why = StringField(
        "Reason",
        [DataRequired("say why; it is kept with the release"), Length(max=LONGEST_REASON)],
        description="It stands on the public data page beside the release.",
    )
