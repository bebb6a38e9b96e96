"""Evaluations that are stored, as lists and the overview name them; who may read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app import words
from app.outcome.evaluation import EVALUATION
from app.outcome.words import changed_by, days_of, zones_of
from geodata.store import editions, findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from geodata.store.cities import CityRecord


@dataclass(frozen=True, kw_only=True)
class OutcomeLine:
    """One evaluation in a list: what was compared and what it allows one to say."""

    run: str
    key: str
    outcome: str
    zones: str
    changed: str
    districts: tuple[str, ...]
    before: str
    after: str
    counts: str
    told: str
    verdict: tuple[str, ...]
    made: str


def lines(session: Session, city: CityRecord, district: str = "") -> list[OutcomeLine]:
    """List the evaluations of a city, newest first.

    With a district, those whose treated zones all lie in it: what was found together with another
    district's zones is not this district's alone. Sensitive outcomes are left out.
    """
    where: dict[str, dict[str, str]] = {}
    found = []
    for finding in findings.list_city_findings(session, city.slug, EVALUATION):
        document = finding.document
        if document["outcome"] in city.sensitive_outcomes:
            continue
        if finding.run not in where:
            where[finding.run] = editions.zone_districts(session, finding.run)
        districts = treated_districts(document, where[finding.run])
        if district and districts != (district,):
            continue
        treated = document["treated"]
        found.append(
            OutcomeLine(
                run=finding.run,
                key=finding.key,
                outcome=words.plain(document["outcome"]),
                zones=zones_of(document),
                changed=changed_by(document).removeprefix(", "),
                districts=districts,
                before=days_of(document["before"]),
                after=days_of(document["after"]),
                counts=f"{treated['before']:,} before, {treated['after']:,} after",
                told=words.sentence(compared(document)),
                verdict=tuple(words.sentence(text) for text in document["verdict"]),
                made=words.day(finding.created_at.date()),
            )
        )
    return found


def treated_districts(document: Mapping[str, Any], where: Mapping[str, str]) -> tuple[str, ...]:
    """Give the districts of the treated zones."""
    return tuple(sorted({where.get(zone, "?") for zone in document["treated"]["zones"]}))


def compared(document: Mapping[str, Any]) -> str:
    """Give the sentence of a verdict that tells what the control areas show."""
    return next(
        (text for text in document["verdict"] if text.startswith(STARTS)), document["verdict"][-1]
    )


STARTS = ("against ", "no area was", "the control areas disagree")
