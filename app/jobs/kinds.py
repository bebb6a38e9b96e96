"""Which long work there is: what each kind of job needs to know, and the function that does it.

The functions are those of the command line. A job gives back what it made as a reference: ids of
runs, of a release, never the thing itself.

Each kind imports what it works with when it is read or done, so that a worker that waits holds no
Flask, no maps and no numerical libraries.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.usecases.arguments import Arguments
from geodata.db.json_columns import JobResult
from geodata.roles import ANALYST, COMMANDER, PUBLISHER
from spatial.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from app.config import Settings
    from geodata.db.engine import Database

    Progress = Callable[[str, int, int], None]
    Work = Callable[["Tools", Progress], JobResult]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tools:
    """What work is done with; ``who`` requested it."""

    database: Database
    settings: Settings
    who: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """Work that was checked and can be done.

    ``city`` is the slug of a city, which may not be stored yet if it is ``new``; or ``run`` names
    one whose city it is.
    """

    work: Work
    city: str = ""
    run: str = ""
    new: bool = False

    def city_of(self, session: Session) -> str:
        """Return the slug of the city that the work is about.

        Raises
        ------
        NotStoredError
            If the city or the run is not stored.
        DataError
            If the run was made by an earlier version and lacks what this one reads.
        """
        from geodata.repositories.cities import get_city
        from geodata.repositories.runs import get_summary, require_readable

        if self.new:
            return self.city
        if not self.run:
            return get_city(session, self.city).slug
        run = get_summary(session, self.run)
        require_readable(run)
        return run.city


def read_task(kind: str, values: Mapping[str, object]) -> Task:
    """Return what is asked of a job, checked.

    Raises
    ------
    SpecError, DataError
        If there is no such kind, or an argument is missing, unknown or cannot be right.
    """
    if kind not in KINDS:
        msg = f"there is no job of kind {kind!r}; choose of {', '.join(KINDS)}"
        raise SpecError(msg, code="job_kind")
    return KINDS[kind].read(Arguments(kind, values))


def _read_fit(arguments: Arguments) -> Task:
    from app.usecases.risk.fit import read_fit

    request = read_fit(arguments)

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.usecases.risk.fit import fit

        made = fit(tools.database, request, who=tools.who, progress=progress)
        return JobResult(runs=tuple(run.id for run in made))

    return Task(work=work, city=request.city)


def _read_validate(arguments: Arguments) -> Task:
    run, start, end = arguments.text("run"), arguments.day("from"), arguments.day("to")
    arguments.check()

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.usecases.risk.validation import validate

        validate(tools.database, run, start, end, progress=progress)
        return JobResult(run=run)

    return Task(work=work, run=run)


def _read_backtest(arguments: Arguments) -> Task:
    run, origins = arguments.text("run"), arguments.whole("origins")
    arguments.check()

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.usecases.risk.validation import backtest

        backtest(tools.database, run, origins, progress=progress)
        return JobResult(run=run)

    return Task(work=work, run=run)


def _read_certainty(arguments: Arguments) -> Task:
    run = arguments.text("run")
    replicates, seed = arguments.whole("replicates", 100), arguments.whole("seed", 1)
    arguments.check()

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.usecases.risk.analyses import bootstrap

        bootstrap(tools.database, run, replicates=replicates, seed=seed, progress=progress)
        return JobResult(run=run)

    return Task(work=work, run=run)


def _read_sensitivity(arguments: Arguments) -> Task:
    run = arguments.text("run")
    arguments.check()

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.usecases.risk.analyses import vary

        vary(tools.database, run, progress=progress)
        return JobResult(run=run)

    return Task(work=work, run=run)


def _read_evaluate(arguments: Arguments) -> Task:
    from app.usecases.evaluation.study import Question

    city, run, outcome = arguments.text("city"), arguments.text("run"), arguments.text("outcome")
    before, after = arguments.period("before"), arguments.period("after")
    zones, district = arguments.texts("zones"), arguments.text("district", required=False)
    buffer_cells = arguments.whole("buffer_cells", -1)
    controls, alpha = arguments.whole("controls", 3), arguments.number("alpha", 0.05)
    compare = arguments.flag("other_zones_untreated")
    arguments.check()
    question = Question(
        city=city,
        run=run,
        outcome=outcome,
        before=before,
        after=after,
        zones=zones,
        district=district or None,
        buffer_cells=None if buffer_cells < 0 else buffer_cells,
        controls=controls,
        alpha=alpha,
        zones_compare=compare,
    )

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.usecases.evaluation.evaluate import evaluate

        document = evaluate(tools.database, question, progress=progress)
        return JobResult(run=run, evaluation=document.key)

    return Task(work=work, city=city)


def _read_import(arguments: Arguments) -> Task:
    from geodata.cityfile.description import read_city_file

    path, root = Path(arguments.text("city_file")), arguments.text("data_root", required=False)
    after = arguments.whole("after", 0)
    forget = _pairs(arguments, "forget")
    arguments.check()
    described = read_city_file(path, Path(root) if root else None)

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.usecases.city_files import fetching_for, settle
        from geodata.ingest.store import import_city

        result = import_city(
            tools.database,
            described,
            who=tools.who,
            fetching=fetching_for(tools.settings, progress),
            progress=progress,
            after=after or None,
            forget=forget,
            skip_unchanged=True,
        )
        settle(tools.database, tools.settings, described.slug, path)
        return JobResult(city=result.city, sources=result.sources)

    return Task(work=work, city=described.slug, new=True)


def _pairs(arguments: Arguments, name: str) -> tuple[tuple[str, str], ...]:
    """Read a list of sections and sources, each written as ``incidents:file.csv``."""
    parts = [one.partition(":") for one in arguments.texts(name)]
    return tuple((section, source) for section, _, source in parts)


def _read_fetch(arguments: Arguments) -> Task:
    city, url = arguments.text("city"), arguments.text("address")
    arguments.check()

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.usecases.city_files import fetch_to_look, fetching_for

        fetching = fetching_for(tools.settings, progress)
        number = fetch_to_look(
            tools.database, tools.settings, fetching, city=city, url=url, who=tools.who
        )
        return JobResult(upload=number)

    return Task(work=work, city=city)


def _read_draft(arguments: Arguments) -> Task:
    city, run = arguments.text("city"), arguments.text("run", required=False)
    arguments.check()

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.site_documents import site_files
        from app.usecases.draft_mail import ask_mail
        from geodata.releases.build import draft_release

        made = draft_release(
            tools.database,
            tools.settings.releases,
            city,
            tools.who,
            run=run or None,
            pages=site_files,
            progress=progress,
        )
        ask_mail(tools.database, tools.settings, made.id)
        return JobResult(release=made.id)

    return Task(work=work, city=city)


def _read_arrivals(arguments: Arguments) -> Task:
    city = arguments.text("city")
    arguments.check()

    def work(tools: Tools, progress: Progress) -> JobResult:
        from geodata.errors import DataError
        from geodata.ingest.watched_folder import read_folder
        from geodata.repositories.cities import get_city

        if tools.settings.watch is None:
            msg = "no folder is watched where the worker runs; set SAFERGROUND_WATCH there"
            raise DataError(msg)
        progress("arrivals", 0, 1)
        with tools.database.session() as session:
            folder = tools.settings.watch / get_city(session, city).slug
        found = read_folder(tools.database, city, folder, tools.who)
        faults = [f"{one.name}: {one.fault}" for one in found if one.fault]
        if faults:
            msg = f'{len(faults)} of {len(found)} files were not read and lie in "failed": ' + (
                "; ".join(faults)
            )
            raise DataError(msg)
        return JobResult(city=city, sources=tuple(one for file in found for one in file.reports))

    return Task(work=work, city=city)


def _read_mail(arguments: Arguments) -> Task:
    city, release = arguments.text("city"), arguments.text("release")
    state, to = arguments.text("state"), arguments.text("to")
    arguments.check()

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.usecases.draft_mail import send_mail

        progress("mail", 0, 1)
        send_mail(tools.database, tools.settings, release, state, to)
        return JobResult(release=release)

    return Task(work=work, city=city)


def _read_preview(arguments: Arguments) -> Task:
    city, run = arguments.text("city"), arguments.text("run", required=False)
    arguments.check()

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.site_documents import make_city_preview

        made = make_city_preview(
            tools.database, tools.settings, city, run=run or None, progress=progress
        )
        return JobResult(preview=made.id)

    return Task(work=work, city=city)


def _read_round(arguments: Arguments) -> Task:
    city = arguments.text("city")
    arguments.check()

    def work(tools: Tools, progress: Progress) -> JobResult:
        from app.site_documents import site_files
        from app.usecases.weekly_round import make_round
        from geodata.errors import DataError

        made = make_round(
            tools.database, tools.settings, city, tools.who, pages=site_files, progress=progress
        )
        if made.failed:
            last = made.steps[-1]
            msg = f"the round ended at its step {last.step!r}: {last.about}"
            raise DataError(msg)
        return JobResult(
            city=city, runs=tuple(made.runs), release=made.release, sources=made.sources
        )

    return Task(work=work, city=city)


@dataclass(frozen=True, kw_only=True, eq=False)
class JobKind:
    """One kind of work: its name for people, what reads its arguments, and whose work it is.

    Of ``roles`` a person needs one to ask for it, to cancel it and to ask for it again.
    """

    title: str
    read: Callable[[Arguments], Task]
    roles: frozenset[str] = frozenset({ANALYST})


KINDS: Mapping[str, JobKind] = {
    "import": JobKind(title="Import of the sources", read=_read_import),
    "fetch": JobKind(title="Fetching of an address", read=_read_fetch),
    "fit": JobKind(title="Fit of a risk terrain", read=_read_fit),
    "validate": JobKind(title="Validation on a later period", read=_read_validate),
    "backtest": JobKind(title="Rolling backtest", read=_read_backtest),
    "certainty": JobKind(title="Certainty by resampling", read=_read_certainty),
    "sensitivity": JobKind(title="Sensitivity to seeds and blocks", read=_read_sensitivity),
    "evaluate": JobKind(
        title="Evaluation of an intervention",
        read=_read_evaluate,
        roles=frozenset({ANALYST, COMMANDER}),
    ),
    "draft": JobKind(title="Draft of a release", read=_read_draft),
    "arrivals": JobKind(title="Files that arrived in a folder", read=_read_arrivals),
    "mail": JobKind(title="Mail about a draft", read=_read_mail),
    "round": JobKind(title="Round: sources, fit, scores, draft", read=_read_round),
    "preview": JobKind(
        title="Preview of the public pages",
        read=_read_preview,
        roles=frozenset({ANALYST, PUBLISHER}),
    ),
}
