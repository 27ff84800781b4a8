"""Dashboards of projects: `/v1/projects/{prefix}/dashboard`."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query

from parkade.apps.api.auth import Operator
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.alarms import AlarmView
from parkade.apps.api.schemas.dashboards import DashboardView
from parkade.apps.dashboards import grafana
from parkade.apps.projectfile import clouds, document
from parkade.apps.projectfile.watched import subject_of
from parkade.domain.dashboard.rows import dashboard
from parkade.domain.errors import (
    AlarmNotFound,
    Conflict,
    InvalidInput,
    ParkadeError,
    Unreadable,
)
from parkade.domain.spans import read_span
from parkade.services.costs import By
from parkade.services.dashboards import Sources, draw, figures

if TYPE_CHECKING:
    from parkade.domain.dashboard.panel import Dashboard
    from parkade.ports.capacity import Reading
    from parkade.services.costs import Bill

logger = logging.getLogger(__name__)

routes = router("Projects", "/v1/projects")

_LONGEST = timedelta(days=366)
#: Points that a line has, at most, where no period is asked for.
_POINTS = 60
#: Seconds of the periods that are chosen from.
_PERIODS = (60, 300, 900, 3600, 6 * 3600, 86400)


@routes.get("/{prefix}/dashboard")
async def get_dashboard(
    services: Served,
    _caller: Operator,
    prefix: str,
    since: Annotated[str, Query(description="How far back: `90m`, `3h`, `15d`.")] = "1h",
    period: Annotated[
        float | None,
        Query(
            description="seconds. 10, 20 .. 50, or whole minutes up to a day; left out: as fits the "
            "span, so that lines have 60 points at most."
        ),
    ] = None,
) -> DashboardView:
    """Tell all that a project's dashboard shows: panels with their lines and figures, and alarms.

    Lines are of what was measured since then, figures of what is there now.
    """
    wanted = _dashboard(services, prefix)
    span = read_span(since, field="since")
    if span > _LONGEST:
        raise InvalidInput(
            f"since {since!r} is further back than anything is kept",
            field="since",
            hint=f"ask for {_LONGEST.days}d at most",
        )
    now = services.clock.now()
    seconds = period if period is not None else _period(span.total_seconds())
    sources = Sources(
        lease=services.meter.get,
        bill=await asyncio.to_thread(_bill, services, now - span),
        budgets=services.money.budgets.at_once(),
        hourly=services.money.fleets.hourly,
    )
    told = figures(wanted, sources, _readings(services), now)

    def read() -> DashboardView:
        picture = draw(wanted, services.monitor.metrics, told, (now - span, now), seconds)
        alarms, missing = _alarms(services, wanted)
        return DashboardView.of(prefix, picture, alarms, missing)

    return await asyncio.to_thread(read)


@routes.get("/{prefix}/dashboard/grafana")
async def get_grafana_dashboard(services: Served, _caller: Operator, prefix: str) -> dict[str, Any]:
    """Return the same dashboard as JSON that Grafana imports; its data is what `/metrics` tells."""
    return grafana.written(_dashboard(services, prefix))


def _dashboard(services: Served, prefix: str) -> "Dashboard":
    """Return a project's dashboard. Raises ProjectNotFound, Unreadable, or Conflict."""
    project = services.projecting.projects.get(prefix).wanted
    if project is None:
        raise Conflict(
            f"project {prefix!r} is being destroyed", hint="wait until it is, or apply it again"
        )
    here, _ = clouds.embedded(document.read(dict(project.document)))
    return dashboard(subject_of(here))


def _bill(services: Served, since: datetime) -> "Bill | ParkadeError":
    try:
        return services.money.costs.bill(since=since, by=By.ENDPOINT)
    except ParkadeError as error:
        return error


def _readings(services: Served) -> "tuple[Reading, ...]":
    try:
        return tuple(services.scaling.capacity.all().values())
    except ParkadeError as error:
        logger.warning("left out of a dashboard: %s", error.message)
        return ()


def _alarms(services: Served, wanted: "Dashboard") -> tuple[list[AlarmView], list[str]]:
    found: list[AlarmView] = []
    missing: list[str] = []
    for name in wanted.alarms:
        try:
            alarm = services.alarms.book.get(name)
        except (AlarmNotFound, Unreadable):
            missing.append(name)
        else:
            found.append(AlarmView.of(alarm, services.alarms.watch.troubles.get(name, "")))
    return found, missing


def _period(seconds: float) -> int:
    return next((each for each in _PERIODS if seconds / each <= _POINTS), _PERIODS[-1])
