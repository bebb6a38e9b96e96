"""The rules of publishing as data, and what of the measures is open to the public.

Numbers come from where they are applied, so that what a release states is what was done. A change
of a rule, of what is open, or of how a row gets its place raises ``RULES_VERSION``.
"""

from __future__ import annotations

from dataclasses import replace

from geodata.release_manifest import Rules
from spatial.disclosure.linked import LEAST_SHOWN, LEAST_WIDTH
from spatial.disclosure.places import BAND_HOURS, DELAY_DAYS, LEAST_RADIUS
from spatial.disclosure.places import VERSION as MASKING_VERSION
from spatial.spec import MaskingSpec

RULES_VERSION = 4
METRES = MaskingSpec.for_unit(1.0)
MOST_AGE_DAYS = 7  # "updated at least weekly"
OUTSIDE = "(outside)"  # of all districts
LEAST_PEOPLE, PEOPLE_STEP = 100, 10  # of estimates of who lives in an area

HITS = "zones.hit_rate"  # its numerator counts incidents in places of a few hectares
OF_HITS = {"zones.pai": HITS}
OF_ZONES = (HITS, *OF_HITS)  # of the run that is shown, whatever its outcome

SHOWN_WORDS = {0: "", 1: f"fewer than {LEAST_SHOWN}", 2: "held back", 3: "not given"}  # by label
FEW_PEOPLE = f"fewer than {LEAST_PEOPLE}"


def _texts(rules: Rules) -> dict[str, str]:
    """Return each rule in plain words, by name; errors name rules by these names."""
    return {
        "places": f"An alert or complaint stands at the nearest intersection or middle of a "
        f"block in its district that at least {rules.k} addresses share, or none at all. Where "
        f"none is within {rules.reach_m:g} m it stands for a square of {rules.square_m:g} m, "
        "joined with its neighbours until enough addresses share it, or for its district. The "
        "same row always gets the same place. It is an area, never a point.",
        "exact": "No exact coordinate is published: every published place is one that the rule "
        "for places chose from streets and addresses, and none was taken from a row.",
        "delay": f"A time is a day and, for alerts, {rules.band_hours} hours of it. Nothing is "
        f"about a day less than {rules.delay_days} days before the release was drafted.",
        "suppression": "Incidents, what came of single alerts, arrests and crashes with injury are "
        "counts by district and whole month, and their sums. A count of 1 to "
        f"{rules.least_shown - 1} is shown as fewer than {rules.least_shown}; other counts and "
        "totals are held back where they would give it away, also together with what earlier "
        f"releases showed, so that at least {rules.possible_values} values remain possible. Of "
        "the results of alerts, whose number is public, 0 is shown as fewer than "
        f"{rules.least_shown} too, and of a hidden count at least one other value remains "
        "possible; where even that cannot be, nothing is given. Incidents inside zones are "
        "hidden like these, and given only where all incidents of their days and district are. "
        "The city's last 12 months are hidden last, districts by month first. A share, and what it "
        "is worked out from, is shown where its count is.",
        "coarse": "Measures that rest on verified gunfire are given for the whole city and for "
        "the periods of the results of alerts only, as they would tell single results.",
        "outcomes": "Kinds of incidents that the city calls sensitive have no zones and no "
        "surface: their counts by district and month are all that is public.",
        "residents": "Who lives in an area is estimated from the counts that the city names: "
        "each polygon gives the share of its people that the share of its ground inside the "
        f"area comes to. Numbers are rounded to {rules.people_step}s, and of an area of fewer "
        f"than {rules.least_people} people nothing else is told. The share of incidents that a "
        "district has is rounded to a whole percent or more, so that their number could also be "
        "three more or three less.",
        "fields": "Only files and columns on the list are published. A new one is for staff "
        "until someone puts it on the list. Plans, visits of single officers and staff are "
        "never on it.",
        "age": "A release is marked stale when the last day that it is about lies more than "
        f"{rules.delay_days + rules.most_age_days} days back.",
    }


_NUMBERS = Rules(
    version=RULES_VERSION,
    masking_version=MASKING_VERSION,
    k=METRES.k,
    reach_m=METRES.reach_units,
    square_m=METRES.cell_units,
    least_radius_m=LEAST_RADIUS * METRES.reach_units,
    delay_days=DELAY_DAYS,
    band_hours=BAND_HOURS,
    least_shown=LEAST_SHOWN,
    possible_values=LEAST_WIDTH + 1,
    least_people=LEAST_PEOPLE,
    people_step=PEOPLE_STEP,
    most_age_days=MOST_AGE_DAYS,
    texts={},
)
RULES = replace(_NUMBERS, texts=_texts(_NUMBERS))
