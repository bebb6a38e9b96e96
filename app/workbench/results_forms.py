"""Forms of the pages about one run: work that is requested, zones that are changed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectChoice, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from app.admin.forms import TYPED, ChecksField
from app.usecases.risk.validation import MOST_ORIGINS
from geodata.repositories import runs
from geodata.repositories.zone_editing import LONGEST_NAME
from geodata.repositories.zone_versions import LONGEST_REASON

if TYPE_CHECKING:
    from wtforms import Field

    from geodata.repositories.runs import RunRecord

MOST_REPLICATES = 1_000
LONGEST_SHAPE = 100_000  # characters of a drawn shape
WHY = "say why; it is kept with the step"


def _day(field: Field) -> dt.date:
    try:
        return dt.date.fromisoformat((field.data or "").strip())
    except ValueError as error:
        msg = "write a day as 2025-01-31"
        raise ValidationError(msg) from error


def _whole(field: Field, least: int, most: int) -> int:
    text = (field.data or "").strip()
    if not (text.isascii() and text.isdigit() and least <= int(text[:12]) <= most):
        msg = f"a whole number from {least} to {most:,}"
        raise ValidationError(msg)
    return int(text[:12])


class AnalysisForm(FlaskForm):
    """Work about a run; :meth:`arguments` gives what the job needs to know."""

    kind = ""
    button = ""
    told = ""

    def __init__(self, run: RunRecord, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, prefix=f"{self.kind}-", **kwargs)
        self.run = run

    def arguments(self) -> dict[str, object]:
        """Return the arguments of the job."""
        return {"run": self.run.id}


class ValidateForm(AnalysisForm):
    """A later period to score the run on."""

    kind, button = "validate", "Validate"
    told = "Scores the run, as it stands, on incidents that it has not seen."
    start = StringField("First day", [DataRequired("give the first day"), Length(max=TYPED)])
    end = StringField(
        "Day after the last",
        [DataRequired("give the day after the last"), Length(max=TYPED)],
        description="Not included.",
    )

    def validate_start(self, field: Field) -> None:
        """Refuse a day that the run has seen."""
        if _day(field) < self.run.period_to:
            msg = f"the run has seen the days before {self.run.period_to}; begin then or later"
            raise ValidationError(msg)

    def validate_end(self, field: Field) -> None:
        """Refuse a period that is empty."""
        end = _day(field)
        try:
            start = _day(self.start)
        except ValidationError:
            return
        if end <= start:
            msg = "this is not after the first day"
            raise ValidationError(msg)

    def arguments(self) -> dict[str, object]:
        """Return the arguments of the job."""
        return {
            "run": self.run.id,
            "from": _day(self.start).isoformat(),
            "to": _day(self.end).isoformat(),
        }


class BacktestForm(AnalysisForm):
    """Windows of the run's own period, each scored by a fit on what came before."""

    kind, button = "backtest", "Backtest"
    told = (
        "Fits everything again before each window of the second half of the run's own period, and "
        "scores the fit on the window."
    )
    origins = StringField("Windows", [DataRequired("say how many"), Length(max=TYPED)], default="6")

    def validate_origins(self, field: Field) -> None:
        """Refuse windows that are too many for the period."""
        days = (self.run.period_to - self.run.period_from).days
        _whole(field, 1, max(1, min(MOST_ORIGINS, days // 4)))

    def arguments(self) -> dict[str, object]:
        """Return the arguments of the job."""
        return {"run": self.run.id, "origins": int(self.origins.data)}


class CertaintyForm(AnalysisForm):
    """A bootstrap of the whole selection."""

    kind, button = "certainty", "Resample"
    told = "Repeats the whole selection on resampled blocks: how sure are factors and zones?"
    replicates = StringField(
        "Repetitions", [DataRequired("say how many"), Length(max=TYPED)], default="100"
    )
    seed = StringField("Seed", [DataRequired("give a seed"), Length(max=TYPED)], default="1")

    def validate_replicates(self, field: Field) -> None:
        """Refuse what is no number of repetitions."""
        _whole(field, 2, MOST_REPLICATES)

    def validate_seed(self, field: Field) -> None:
        """Refuse what is no seed."""
        _whole(field, 0, 2**31)

    def arguments(self) -> dict[str, object]:
        """Return the arguments of the job."""
        return {
            "run": self.run.id,
            "replicates": int(self.replicates.data),
            "seed": int(self.seed.data),
        }


class SensitivityForm(AnalysisForm):
    """Other seeds and blocks."""

    kind, button = "sensitivity", "Vary"
    told = "Fits again with other seeds and with longer and shorter blocks."


ASKS: dict[str, type[AnalysisForm]] = {
    form.kind: form for form in (ValidateForm, BacktestForm, CertaintyForm, SensitivityForm)
}


class EditForm(FlaskForm):
    """One step that changes zones."""

    after = HiddenField(validators=[InputRequired(), Length(max=12)])
    action = RadioField(
        "What to do",
        [DataRequired("choose what to do")],
        choices=[
            SelectChoice("merge", "Merge: make one zone of several that touch"),
            SelectChoice("split", "Split: part a zone along a line"),
            SelectChoice("redraw", "Redraw: give a zone another outline"),
            SelectChoice("rename", "Rename: call a zone what people call the place"),
            SelectChoice("drop", "Drop: take a zone away"),
        ],
        validate_choice=False,
    )
    zones = ChecksField("Zones", validate_choice=False)
    shape = TextAreaField(
        "Line or outline",
        [Optional(), Length(max=LONGEST_SHAPE)],
        description="Drawn on the map, or typed as GeoJSON in degrees: a LineString to split "
        "along, a Polygon to redraw.",
    )
    name = StringField(
        "Name",
        [Optional(), Length(max=TYPED)],
        description=f"Up to {LONGEST_NAME} characters; empty takes the name away. Names are for "
        "staff, they are never published.",
    )
    reason = StringField(
        "Why",
        [DataRequired(WHY), Length(max=LONGEST_REASON)],
        description="Kept with the step, for whoever asks later.",
    )

    def validate_action(self, field: Field) -> None:
        """Refuse what is no step."""
        if field.data not in {choice.value for choice in field.choices}:
            msg = "choose what to do"
            raise ValidationError(msg)

    def validate_zones(self, field: Field) -> None:
        """Ask for as many zones as the step takes."""
        chosen, several = len(field.data or ()), self.action.data == "merge"
        if several and chosen < 2:
            msg = "choose at least two zones to merge"
            raise ValidationError(msg)
        if not several and chosen != 1:
            msg = "choose the one zone that this is about"
            raise ValidationError(msg)


class UseForm(FlaskForm):
    """That a run is put to use; nothing but a reason."""

    reason = StringField(
        "Why",
        [DataRequired("say why; it is kept and in the audit"), Length(max=LONGEST_REASON)],
        description="For whoever asks later why these zones and no others.",
    )


class NameForm(FlaskForm):
    """What a run is called, and a note on it; both may be empty."""

    name = StringField(
        "Name", [Optional(), Length(max=runs.LONGEST_NAME, message="the name is too long")]
    )
    note = TextAreaField(
        "Note", [Optional(), Length(max=runs.LONGEST_NOTE, message="the note is too long")]
    )


class ReasonForm(FlaskForm):
    """A step that needs nothing but a reason."""

    number = HiddenField(validators=[InputRequired(), Length(max=12)])
    after = HiddenField(validators=[Optional(), Length(max=12)])
    reason = StringField("Why", [DataRequired(WHY), Length(max=LONGEST_REASON)])
