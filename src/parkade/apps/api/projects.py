"""Serving projects: what one file describes, compared, applied, destroyed: `/v1/projects`."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request, Response

from parkade.apps.api import projectstatus
from parkade.apps.api.auth import Admin, Operator
from parkade.apps.api.keys import IdempotencyKey
from parkade.apps.api.paging import After, Limit, newest, page
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.applications import ApplicationList, ApplicationView
from parkade.apps.api.schemas.projects import (
    DifferenceView,
    DocumentForm,
    Facts,
    ProjectList,
    ProjectView,
    StatusView,
    WholeProjectView,
)
from parkade.apps.projectfile.layout import project_of
from parkade.domain.errors import (
    ApplicationNotFound,
    InvalidInput,
    TooLarge,
    Unreadable,
)
from parkade.domain.token import Role

if TYPE_CHECKING:
    from parkade.domain.project.application import Application
    from parkade.domain.project.record import Record

routes = router("Projects", "/v1/projects")

#: bytes. It is kept with every application of it; what is larger belongs into objects.
DOCUMENT_LIMIT = 4 * 1024**2

DryRun = Annotated[
    bool,
    Query(description="Change nothing: answer with what would be done, and what is wrong."),
]
Plan = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=100,
        description="The `plan_id` of a difference that was shown: 409 where it would be another "
        "one by now.",
    ),
]


@routes.get("")
async def list_projects(
    services: Served, _caller: Operator, limit: Limit = 100, after: After = ""
) -> ProjectList:
    """List projects in the order of their prefixes."""
    listing = services.projecting.projects.all()
    found, following = page(listing.records, lambda each: each.prefix, limit=limit, after=after)
    now = services.clock.now()
    return ProjectList(
        projects=[ProjectView.of(_facts(services, each), now) for each in found],
        next=following,
        unreadable=dict(listing.unreadable),
    )


@routes.post("", status_code=202)
async def apply_project(
    *,
    services: Served,
    caller: Operator,
    request: Request,
    response: Response,
    form: DocumentForm,
    key: IdempotencyKey = None,
    dry_run: DryRun = False,
    plan: Plan = None,
    adopt: Annotated[
        bool,
        Query(description="Take over what is there under the names of its parts, too."),
    ] = False,
) -> ApplicationView | DifferenceView:
    """Begin to make what is there what the document says, part by part; with `dry_run`, show it.

    The body is a document: what `parkade schema` describes, at one stage, without folders and
    files of the client. It goes on in the background: GET of the application tells how far it has
    come. 409 while another application of the project is running. A dry run needs the role
    operator alone, applying the role **admin**.
    """
    if not dry_run:
        caller.require(Role.ADMIN)
    _require_small(len(await request.body()))
    if dry_run and plan is not None:
        raise InvalidInput(
            "dry_run and plan exclude each other: a dry run shows another difference",
            field="plan",
            hint="leave out dry_run to apply the plan, or plan to see what it would be now",
        )
    project = project_of(form)
    projects = services.projecting.projects
    if dry_run:
        response.status_code = 200
        return DifferenceView.of(projects.plan(project, caller.name, adopt=adopt))
    begun = projects.apply(project, caller.name, plan_id=plan, adopt=adopt, key=key)
    return ApplicationView.of(begun, services.clock.now())


@routes.get("/{prefix}")
async def get_project(services: Served, _caller: Operator, prefix: str) -> WholeProjectView:
    """Describe a project: its document, and what was applied last."""
    record = services.projecting.projects.get(prefix)
    return WholeProjectView.of(_facts(services, record), services.clock.now())


@routes.delete("/{prefix}", status_code=202)
async def destroy_project(
    *,
    services: Served,
    caller: Operator,
    response: Response,
    prefix: str,
    key: IdempotencyKey = None,
    dry_run: DryRun = False,
    plan: Plan = None,
) -> ApplicationView | DifferenceView:
    """Begin to remove all that the project made, and only that; with `dry_run`, show it.

    Endpoints that run are among it; data that was captured stays. 409 while an application of the
    project is running. A dry run needs the role operator alone, destroying the role **admin**.
    """
    projects = services.projecting.projects
    if dry_run:
        response.status_code = 200
        return DifferenceView.of(projects.destroy_plan(prefix))
    caller.require(Role.ADMIN)
    begun = projects.destroy(prefix, caller.name, plan_id=plan, key=key)
    return ApplicationView.of(begun, services.clock.now())


@routes.get("/{prefix}/status")
async def get_project_status(services: Served, _caller: Operator, prefix: str) -> StatusView:
    """Tell how every part of a project stands, what runs of it, and what that costs."""
    record = services.projecting.projects.get(prefix)
    return projectstatus.view(services, _facts(services, record))


@routes.post("/{prefix}/rollback", status_code=202)
async def roll_back_project(
    services: Served, caller: Admin, prefix: str, key: IdempotencyKey = None
) -> ApplicationView:
    """Begin to apply the document before: the last one that stood and is not wanted now.

    409 where there is none, and while an application of the project is running.
    """
    begun = services.projecting.projects.roll_back(prefix, caller.name, key=key)
    return ApplicationView.of(begun, services.clock.now())


@routes.get("/{prefix}/applications")
async def list_applications(
    services: Served, _caller: Operator, prefix: str, limit: Limit = 20, after: After = ""
) -> ApplicationList:
    """List the applications of a project, the newest first; of one that is destroyed, too."""
    projects = services.projecting.projects
    listing = projects.applications(prefix)
    if not listing.records:
        projects.get(prefix)
    found, following = newest(
        listing.records,
        lambda each: f"{each.begun_at:%Y%m%dT%H%M%S.%f}/{each.id}",
        limit=limit,
        after=after,
    )
    now = services.clock.now()
    return ApplicationList(
        applications=[ApplicationView.of(each, now) for each in found],
        next=following,
        unreadable=dict(listing.unreadable),
    )


@routes.get("/{prefix}/applications/{application_id}")
async def get_application(
    services: Served, _caller: Operator, prefix: str, application_id: str
) -> ApplicationView:
    """Describe an application: each part with what is done about it, and how far that has come."""
    found = _application(services, prefix, application_id)
    return ApplicationView.of(found, services.clock.now())


@routes.post("/{prefix}/applications/{application_id}/cancel")
async def cancel_application(
    services: Served, caller: Admin, prefix: str, application_id: str
) -> ApplicationView | None:
    """Call an application off: no further step is begun, and what was done stays done.

    409 once it is over. One that cannot be read is forgotten, which answers null.
    """
    with suppress(Unreadable):
        _application(services, prefix, application_id)
    called_off = services.projecting.projects.cancel(application_id, caller.name)
    return ApplicationView.of(called_off, services.clock.now()) if called_off else None


def _facts(services: Served, record: "Record") -> Facts:
    """Return a project with its last application; one that cannot be read hides nothing else."""
    try:
        last = services.projecting.projects.application(record.application)
    except (ApplicationNotFound, Unreadable):
        last = None
    return Facts(record=record, application=last)


def _application(services: Served, prefix: str, application_id: str) -> "Application":
    """Return an application of this project. Raises ApplicationNotFound, or Unreadable."""
    found: Application = services.projecting.projects.application(application_id)
    if found.prefix != prefix:
        raise ApplicationNotFound(
            f"project {prefix!r} has no application {application_id!r}",
            hint=f"GET /v1/projects/{prefix}/applications lists them",
        )
    return found


def _require_small(size: int) -> None:
    if size > DOCUMENT_LIMIT:
        raise TooLarge(
            f"the document has {size} bytes; {DOCUMENT_LIMIT} are taken",
            hint="put large cases of the tester into fewer, or smaller, ones",
        )
