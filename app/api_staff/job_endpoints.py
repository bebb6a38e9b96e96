"""Long work by token: jobs, asking for them, cancelling them; and what was imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypedDict

from flask import request, url_for
from werkzeug.exceptions import Forbidden, NotFound

from app import forms
from app.api.answers import LIMIT, OFFSET, Link, page, require_known
from app.api.document import JSON, Answer, Day, Keywords, Moment, Operation, Parameter, describe
from app.api_staff.blueprint import (
    CITY,
    LARGEST_NUMBER,
    NUMBER,
    bp,
    note,
    require_plain,
    require_word,
    send,
)
from app.auth.guard import require_bearer
from app.extensions import workroom
from app.jobs import jobs as work
from app.jobs.job_access import may_ask, require_change
from app.usecases.arguments import LONGEST
from geodata.repositories import cities
from geodata.repositories import import_log as versions
from spatial.errors import SpecError

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

ASKED = ("fit", "validate")
Text = Annotated[
    str, Keywords(minLength=1, maxLength=LONGEST, pattern=r"^[\x20-\x7e]*[!-~][\x20-\x7e]*$")
]


class JobDocument(TypedDict):
    """How a job stands."""

    job: int
    kind: str
    city: str | None
    state: Annotated[str, Keywords(enum=["waiting", "running", "done", "failed", "cancelled"])]
    asked_by: str
    asked_at: Moment
    arguments: dict[str, object]
    retry_of: int | None
    attempt: int
    worker: str | None
    started_at: Moment | None
    heartbeat_at: Moment | None
    ended_at: Moment | None
    stage: str | None
    done: int
    total: int
    share: Annotated[float, "How far it is, 0 to 1."]
    remaining_seconds: float | None
    estimate: Annotated[str, "Where share and remaining_seconds come from."]
    cancel_asked_by: str | None
    message: str | None
    result: dict[str, object] | None


class Jobs(TypedDict):
    """Jobs of a city, newest first."""

    city: str
    jobs: list[JobDocument]
    worker_alive: Annotated[bool, "Whether a worker is there that takes jobs up."]
    numberMatched: int
    numberReturned: int
    links: list[Link]


FitArguments = TypedDict(
    "FitArguments",
    {
        "city": Text,
        "outcome": Text,
        "from": NotRequired[Day],
        "to": NotRequired[Day],
        "districts": NotRequired[list[Text]],
        "seed": NotRequired[Annotated[int, Keywords(minimum=0, maximum=2**63 - 1)]],
        "area_share": NotRequired[
            Annotated[float, Keywords(exclusiveMinimum=0, maximum=1), "Share of the area in zones."]
        ],
        "sharing": NotRequired[Literal["own", "shared"]],
        "zones_from": NotRequired[Literal["combined", "rtm"]],
        "protective": NotRequired[bool],
    },
)
FitArguments.__doc__ = "What a fit is asked for; docs/jobs.md tells each."
ValidateArguments = TypedDict("ValidateArguments", {"run": Text, "from": Day, "to": Day})
ValidateArguments.__doc__ = "What a validation is asked for."


class FitAsked(TypedDict):
    """A fit."""

    kind: Literal["fit"]
    arguments: FitArguments


class ValidateAsked(TypedDict):
    """A validation on a later period."""

    kind: Literal["validate"]
    arguments: ValidateArguments


Import = TypedDict(
    "Import",
    {
        "import": int,
        "city": str,
        "imported_at": Moment,
        "changes": Annotated[dict[str, dict[str, int]], "Rows by table."],
        "undone_at": Moment | None,
        "undone_by": str | None,
    },
)
Import.__doc__ = "One import."


class Imports(TypedDict):
    """Imports of a city, newest first."""

    city: str
    imports: list[Import]
    numberMatched: int
    numberReturned: int
    links: list[Link]


@bp.get("/cities/<city>/jobs")
@describe(
    Operation(
        summary="Jobs of a city",
        meaning="Long work that waits, runs or has ended, newest first. For analysts.",
        tag="staff",
        scope="read",
        parameters=(
            CITY,
            Parameter(
                name="open",
                meaning="yes: only what waits or runs.",
                schema={"type": "string", "enum": ["yes", "no"], "default": "no"},
            ),
            LIMIT,
            OFFSET,
        ),
        answers={200: Answer(meaning="A page of jobs.", forms={JSON: Jobs})},
        problems=(404,),
    )
)
def jobs(city: str) -> ResponseReturnValue:
    """List the jobs of a city."""
    require_known("open", "limit", "offset")
    open_only = forms.choice(request.args, "open", ("yes", "no")) == "yes"
    wanted, database = page(), workroom().database
    with database.session() as session:
        slug = cities.get_city(session, require_word(city, "city")).slug
    every = work.statuses(database, slug, open_only=open_only)
    result: Any = [one.as_json() for one in wanted.of(every)]
    links = wanted.links(len(every), JSON)
    document: Jobs = {
        "city": slug,
        "jobs": result,
        "worker_alive": work.worker_alive(database),
        "numberMatched": len(every),
        "numberReturned": len(result),
        "links": links,
    }
    return send(document, links=links)


@bp.get("/jobs/<int:number>")
@describe(
    Operation(
        summary="One job",
        meaning="How it stands, with share and remaining time where they are known. For analysts.",
        tag="staff",
        scope="read",
        parameters=(NUMBER,),
        answers={200: Answer(meaning="The job.", forms={JSON: JobDocument})},
        problems=(404,),
    )
)
def job(number: int) -> ResponseReturnValue:
    """Tell how a job stands."""
    require_known()
    return send(work.status(workroom().database, _number(number)).as_json())


@bp.post("/jobs")
@describe(
    Operation(
        summary="Ask for a job",
        meaning=(
            "A fit or a validation. The same work that waits or runs already is given back "
            "instead. For analysts."
        ),
        tag="staff",
        scope="jobs",
        body=FitAsked | ValidateAsked,
        answers={202: Answer(meaning="The job.", forms={JSON: JobDocument})},
        problems=(404, 413, 415, 422),
    )
)
def ask_job() -> ResponseReturnValue:
    """Ask for a job."""
    require_known()
    kind, arguments = _requested(request.get_json())
    room, person = workroom(), require_bearer().person
    if not may_ask(person, kind):
        raise Forbidden
    made = work.ask(room.database, kind, arguments, person.name)
    note("job.ask", str(made.id), city=made.city, kind=kind)
    answer = send(work.status(room.database, made.id).as_json(), status=202)
    answer.headers["Location"] = url_for("staff_api.job", number=made.id)
    return answer


@bp.post("/jobs/<int:number>/cancel")
@describe(
    Operation(
        summary="Cancel a job",
        meaning="At once where it waits, at its next step where it runs. For analysts.",
        tag="staff",
        scope="jobs",
        parameters=(NUMBER,),
        answers={200: Answer(meaning="The job.", forms={JSON: JobDocument})},
        problems=(404, 422),
    )
)
def cancel_job(number: int) -> ResponseReturnValue:
    """Cancel a job."""
    require_known()
    room = workroom()
    person = require_bearer().person
    require_change(person, work.status(room.database, _number(number)).job)
    gone = work.cancel(room.database, number, person.name)
    note("job.cancel", str(gone.id), city=gone.city, kind=gone.kind)
    return send(work.status(room.database, gone.id).as_json())


@bp.get("/cities/<city>/imports")
@describe(
    Operation(
        summary="Imports of a city",
        meaning="What each import added, changed and removed, newest first. For analysts.",
        tag="staff",
        scope="read",
        parameters=(CITY, LIMIT, OFFSET),
        answers={200: Answer(meaning="A page of imports.", forms={JSON: Imports})},
        problems=(404,),
    )
)
def imports(city: str) -> ResponseReturnValue:
    """List the imports of a city."""
    require_known("limit", "offset")
    wanted = page()
    with workroom().database.session() as session:
        slug = cities.get_city(session, require_word(city, "city")).slug
        every = versions.list_imports(session, slug)
    result: Any = [one.as_json() for one in wanted.of(every)]
    links = wanted.links(len(every), JSON)
    document: Imports = {
        "city": slug,
        "imports": result,
        "numberMatched": len(every),
        "numberReturned": len(result),
        "links": links,
    }
    return send(document, links=links)


def _number(number: int) -> int:
    if not 1 <= number <= LARGEST_NUMBER:
        raise NotFound
    return number


def _requested(body: Any) -> tuple[str, dict[str, object]]:
    """Read what is asked for.

    Raises
    ------
    SpecError
        If it is no kind of work that may be asked for here, or no object.
    """
    if not isinstance(body, dict) or set(body) != {"kind", "arguments"}:
        msg = 'write what is asked for as {"kind": "fit", "arguments": {...}}'
        raise SpecError(msg, code="job_body")
    kind, arguments = body["kind"], body["arguments"]
    if kind not in ASKED:
        msg = f"a job of kind {kind!r:.60} cannot be asked for here; choose of {', '.join(ASKED)}"
        raise SpecError(msg, code="job_kind")
    if not isinstance(arguments, dict):
        msg = f"arguments must be an object, got {arguments!r:.60}"
        raise SpecError(msg, code="job_arguments")
    require_plain(arguments)
    return kind, arguments
