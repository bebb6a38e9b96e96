"""The settings of a run, each declared once.

Options of the command line, fields of the form, arguments of a job and the table of
``docs/run-settings.md`` are made from these. Bounds that cannot be broken are those of
:mod:`spatial.spec`; ``least`` and ``most`` are what a form offers within them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from spatial.spec import HistorySpec, ModelSpec, ZoneSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.usecases.arguments import Arguments

    Spec = ModelSpec | HistorySpec | ZoneSpec

Part = Literal["model", "history", "zones"]
USUAL: Mapping[Part, Spec] = {"model": ModelSpec(), "history": HistorySpec(), "zones": ZoneSpec()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a run.

    ``name`` is what jobs and forms call it; ``field`` of ``part`` is where it stands in a
    :class:`spatial.spec.RunSpec`. ``choices`` are values with their words in a form, of which
    ``several`` may hold; ``flag`` is the choice that a job and the command line switch on by its
    name. A ``percent`` is a share that forms show times 100. ``label`` and ``hint`` are for people
    at a form, ``help`` for the command line, where it is called ``option``.
    """

    name: str
    part: Part
    field: str
    label: str
    hint: str = ""
    help: str | None = None
    option: str = ""
    metavar: str | None = None
    whole: bool = False
    percent: bool = False
    least: float = 0
    most: float = 0
    choices: Mapping[str, str] | None = None
    several: bool = False
    flag: str = ""

    @property
    def argument(self) -> str:
        """The name of its argument of a job."""
        return self.flag or self.name

    @property
    def usual(self) -> Any:
        """Its value where nothing is chosen, as :meth:`plain` writes it."""
        return self.plain(USUAL[self.part])

    def plain(self, spec: Spec) -> Any:
        """Return its value of a part of a run as JSON has it; a half-life of None is 0."""
        value = getattr(spec, self.field)
        if self.flag:
            return value == self.flag
        return list(value) if self.several else 0 if value is None else value

    def read(self, arguments: Arguments) -> Any:
        """Return its value from the arguments of a job, which gather what is wrong."""
        usual = getattr(USUAL[self.part], self.field)
        if self.flag:
            return self.flag if arguments.flag(self.flag) else usual
        if self.several:
            return arguments.texts(self.name) or usual
        if self.choices is not None:
            return arguments.choice(self.name, tuple(self.choices), usual)
        if self.whole:
            return arguments.whole(self.name, usual)
        return self.number(arguments.number(self.name, usual))

    def number(self, value: float) -> float | None:
        """Return a number as its part of a run has it: 0 is none where that is what 0 means."""
        return None if self.name == "half_life_days" and value == 0 else value


SETTINGS = (
    Setting(
        name="seed",
        part="model",
        field="seed",
        label="Seed",
        hint="Draws the folds. The same seed and data give the same run.",
        whole=True,
        most=2**31 - 1,
    ),
    Setting(
        name="area_share",
        part="zones",
        field="area_share",
        label="Share of the city's area, in percent",
        hint="How much ground zones may take together.",
        help="Share of the city's area that zones may take.",
        percent=True,
        least=0.0001,
        most=0.5,
    ),
    Setting(
        name="allotment",
        part="zones",
        field="allotment",
        label="Allotted to districts",
        help="How the area is allotted to the districts.",
        choices={
            "city": "where the city's best cells are, half of its even share at least to each",
            "expected": "by the incidents that each expects",
            "even": "evenly, by their area",
        },
    ),
    Setting(
        name="zones_from",
        part="zones",
        field="source",
        label="Zones follow",
        help="What zones follow: environment and history together, or the risk terrain alone.",
        choices={
            "combined": "the combined risk: environment and history together",
            "rtm": "the risk terrain alone",
        },
    ),
    Setting(
        name="min_cells",
        part="zones",
        field="min_cells",
        label="Fewest cells of a zone",
        whole=True,
        least=1,
        most=10_000,
    ),
    Setting(
        name="max_cells",
        part="zones",
        field="max_cells",
        label="Most cells of a zone",
        whole=True,
        least=1,
        most=10_000,
    ),
    Setting(
        name="max_zones",
        part="zones",
        field="max_zones",
        label="Most zones of a district",
        help="Of a district.",
        whole=True,
        least=1,
        most=1_000,
    ),
    Setting(
        name="city_zones",
        part="zones",
        field="city_zones",
        label="Most zones of the city",
        hint="Parted among the districts as the area is. 0 sets no limit.",
        help="Of the city, parted among its districts as the area is; 0 sets no limit.",
        whole=True,
        most=100_000,
    ),
    Setting(
        name="least_compactness",
        part="zones",
        field="least_compactness",
        label="Least compactness of a zone",
        hint="4 pi area / perimeter squared: a square has 0.79, four cells in a row 0.50.",
        help="4 pi area / perimeter squared; 0 lets any shape be.",
        most=0.7,
    ),
    Setting(
        name="least_expected",
        part="zones",
        field="least_expected",
        label="Fewest incidents a year that a zone expects",
        hint="0.2 is one in five years; 0 sets no limit.",
        help="Fewest incidents a year that a zone expects.",
        most=1_000_000,
    ),
    Setting(
        name="barriers",
        part="zones",
        field="barriers",
        label="Rivers and motorways of the base map",
        help="Whether zones may cross rivers and motorways of the base map.",
        choices={"kept": "are not crossed by a zone", "crossed": "may be crossed"},
    ),
    Setting(
        name="sharing",
        part="model",
        field="sharing",
        label="Districts by themselves",
        help="Districts by themselves: models of their own, or deviations from the city's.",
        choices={
            "own": "have models of their own; where incidents are few, the city's factors",
            "shared": "deviate from the city's model as far as their data say",
        },
    ),
    Setting(
        name="min_incidents_district",
        part="model",
        field="min_incidents_district",
        label="Fewest incidents for a district's own model",
        help="Fewest for a model of a district's own.",
        whole=True,
        least=1,
        most=1_000_000,
    ),
    Setting(
        name="sign",
        part="model",
        field="sign",
        label="Look for factors that",
        help="Look for factors that lower risk instead.",
        choices={"aggravating": "raise risk", "protective": "lower risk"},
        flag="protective",
    ),
    Setting(
        name="families",
        part="model",
        field="families",
        label="Likelihoods that compete by BIC",
        help="Likelihoods that compete by BIC [default: all].",
        option="family",
        choices={
            "poisson": "Poisson",
            "nb1": "negative binomial, variance linear in the mean (NB1)",
            "nb2": "negative binomial, variance quadratic in the mean (NB2)",
        },
        several=True,
    ),
    Setting(
        name="folds",
        part="model",
        field="folds",
        label="Folds of the cross-validation",
        whole=True,
        least=3,
        most=100,
    ),
    Setting(
        name="mixing",
        part="model",
        field="mixing",
        label="Mixing of the elastic net",
        hint="1 is the lasso.",
        least=0.01,
        most=1,
    ),
    Setting(
        name="lambda_rule",
        part="model",
        field="lambda_rule",
        label="Penalty taken from the cross-validation",
        choices={
            "min": "the one with the least deviance",
            "1se": "the strongest within one SE of it",
        },
    ),
    Setting(
        name="half_life_days",
        part="history",
        field="half_life_days",
        label="Age at which a past incident counts half, in days",
        hint="0 lets all count alike.",
        help="Age at which a past incident counts half; 0 lets all count alike.",
        option="half-life",
        metavar="DAYS",
        most=36_500,
    ),
)


class RunParts(TypedDict):
    """The parts of how a run is made that settings decide."""

    model: ModelSpec
    history: HistorySpec
    zones: ZoneSpec


def parts_of(values: Mapping[str, Any]) -> RunParts:
    """Return ``model``, ``history`` and ``zones`` of a run from values by name of their setting.

    Raises
    ------
    SpecError
        If a value is out of bounds.
    """

    def own(part: Part) -> dict[str, Any]:
        return {one.field: values[one.name] for one in SETTINGS if one.part == part}

    return RunParts(
        model=ModelSpec(**own("model")),
        history=HistorySpec(**own("history")),
        zones=ZoneSpec(**own("zones")),
    )


def written(parts: Mapping[Part, Spec]) -> dict[str, object]:
    """Return the settings that are not as usual, by the names of arguments, as JSON has them."""
    values = [(one, one.plain(parts[one.part])) for one in SETTINGS]
    return {one.argument: value for one, value in values if value != one.usual}


def as_table() -> str:
    """Return the settings as the table of ``docs/run-settings.md``."""
    rows = ["| argument | option | values | usual | what it decides |", "|---|---|---|---|---|"]
    for one in SETTINGS:
        option = f"--{(one.option or one.argument).replace('_', '-')}"
        span = f"{one.least:,g} to {one.most:,.10g}"
        values = "true, false" if one.flag else ", ".join(one.choices) if one.choices else span
        usual = ", ".join(one.usual) if one.several else str(one.usual).lower()
        what = (one.help if one.flag else f"{one.label}. {one.hint}") or one.label
        what = what.strip().rstrip(".")
        rows.append(f"| `{one.argument}` | `{option}` | {values} | {usual} | {what} |")
    return "\n".join(rows)
