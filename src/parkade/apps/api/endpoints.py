"""Endpoints as they are, and what their instances write: `/v1/endpoints`."""

import logging
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request
from starlette.responses import PlainTextResponse, StreamingResponse

from parkade.apps.api import fleetviews, logs
from parkade.apps.api.auth import Invoker, Operator, may_see, require_sight, still_admitted
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.endpoints import EndpointList, EndpointView, Facts, endpoint_view
from parkade.apps.api.schemas.money import CostsView
from parkade.apps.api.schemas.scaling import CapacityView
from parkade.apps.api.schemas.sleep import SleepView
from parkade.apps.api.schemas.terms import TermsView
from parkade.domain.errors import EndpointNotFound, LeaseNotFound, ParkadeError, Unreadable
from parkade.domain.token import Role

if TYPE_CHECKING:
    from parkade.apps.assembly import Scaled

logger = logging.getLogger(__name__)

routes = router("Endpoints", "/v1/endpoints")


@routes.get("")
async def list_endpoints(
    services: Both, caller: Invoker, limit: Limit = 100, after: After = ""
) -> EndpointList:
    """List endpoints in the order of names, those that are leased but absent included.

    An invoker sees the endpoints it may invoke.
    """
    look = Look(services)
    known = [name for name in look.names() if may_see(caller, name)]
    found, following = page(known, str, limit=limit, after=after)
    return EndpointList(endpoints=[look.at(name) for name in found], next=following)


@routes.get("/{endpoint_name}")
async def get_endpoint(services: Both, caller: Invoker, endpoint_name: str) -> EndpointView:
    """Describe an endpoint: its status with its reason, its lease, its instances."""
    require_sight(caller, endpoint_name)
    look = Look(services)
    if endpoint_name not in look.names():
        raise _not_found(endpoint_name)
    found = {
        "scaling": _scaling(look.scaled, endpoint_name),
        "sleep": _sleep(services, endpoint_name),
        "cost": _cost(services, endpoint_name),
        "terms": _terms(services, endpoint_name),
        "fleets": fleetviews.look(services, endpoint_name),
    }
    return look.at(endpoint_name).model_copy(update=found)


@routes.post("/{endpoint_name}/rollout/promote")
async def promote_update(services: Both, caller: Operator, endpoint_name: str) -> EndpointView:
    """Give all requests to what the endpoint is updated to, as soon as that can take them.

    No alarm turns it back any more. 409 where no update is under way, or one that is being rolled
    back. A deployment that waits for the update is promoted with it.
    """
    services.deploying.steering.promote(endpoint_name, caller.name)
    return Look(services).at(endpoint_name)


@routes.post("/{endpoint_name}/rollout/rollback")
async def roll_back_update(services: Both, caller: Operator, endpoint_name: str) -> EndpointView:
    """Give all requests back to what served before the update that is under way.

    409 where none is. A deployment that waits for the update fails.
    """
    services.deploying.steering.roll_back(endpoint_name, caller.name)
    return Look(services).at(endpoint_name)


@routes.get("/{endpoint_name}/logs", response_class=PlainTextResponse)
async def read_logs(
    *,
    services: Both,
    request: Request,
    _caller: Operator,
    endpoint_name: str,
    tail: Annotated[
        int, Query(ge=0, le=100_000, description="Last lines of each instance's log.")
    ] = 100,
    follow: Annotated[bool, Query(description="Go on with what is written.")] = False,
) -> StreamingResponse:
    """Read what an endpoint's instances wrote, each line after `<variant>/<instance id> `.

    Instances that are gone are included as long as their logs are kept; the newest log is last.
    Following goes on through rotations and with new instances until the client ends it.
    """
    if not services.sights.logs(endpoint_name) and endpoint_name not in Look(services).names():
        raise _not_found(endpoint_name)
    reader = logs.Reader(lambda: services.sights.logs(endpoint_name))
    admitted = still_admitted(services, request, Role.OPERATOR)
    text = logs.following(reader, tail, admitted) if follow else reader.tail(tail, whole=True)
    return StreamingResponse(text, media_type="text/plain")


class Look:
    """One look at all leases and endpoints."""

    def __init__(self, services: Both) -> None:
        self._services = services
        self._now = services.clock.now()
        self._shelf = services.meter.all()
        self._leases = {lease.endpoint_name: lease for lease in self._shelf.leases}
        self._seen = services.hosting.endpoints()
        #: How many there are of what, and how that is decided.
        self.scaled = services.sights.scaled()
        self._terms = services.upkeep.terms.by_endpoint()

    def names(self) -> set[str]:
        """Return every name that is leased or runs."""
        return {*self._leases, *self._shelf.unreadable, *self._seen}

    def at(self, name: str) -> EndpointView:
        """Write one endpoint."""
        facts = Facts(
            name=name,
            lease=self._leases.get(name),
            unreadable=self._shelf.unreadable.get(name, ""),
            seen=self._seen.get(name),
            traffic=self._services.sights.traffic(name),
            backlog=self._services.sights.backlog(name),
            instances=self._services.sights.instances(name) if name in self._seen else (),
            expected=self._services.upkeep.starts.expected,
            terms=self._terms.get(name),
            refusal=self._services.upkeep.affording.refusal,
        )
        counts = self.scaled.counts(name)
        return endpoint_view(facts, self._now).model_copy(update={"capacities": counts})


def _scaling(look: "Scaled", endpoint_name: str) -> list[CapacityView] | None:
    """Tell what of it is scaled, and how; what cannot be read hides nothing else."""
    try:
        return [each for each in look.capacities(endpoint_name) if each.scaled]
    except ParkadeError as error:
        logger.warning("how %s is scaled cannot be told: %s", endpoint_name, error.message)
        return None


def _terms(services: Both, endpoint_name: str) -> TermsView | None:
    """Tell what is settled about it; what cannot be read hides nothing else."""
    try:
        terms = services.upkeep.terms.get(endpoint_name)
    except Unreadable as error:
        logger.warning("what is settled about %s cannot be told: %s", endpoint_name, error.message)
        return None
    return TermsView.of(terms, services.clock.now()) if terms else None


def _sleep(services: Both, endpoint_name: str) -> SleepView | None:
    """Tell how it sleeps, while it does; what cannot be read hides nothing else."""
    try:
        bed = services.waking.sleeping.look(endpoint_name)
    except LeaseNotFound:
        return None
    except ParkadeError as error:
        logger.warning("how %s sleeps cannot be told: %s", endpoint_name, error.message)
        return None
    return SleepView.of(bed, services.clock.now()) if bed.asleep_for is not None else None


def _cost(services: Both, endpoint_name: str) -> CostsView | None:
    """Tell what the endpoint cost under its lease; what cannot be read hides nothing else."""
    try:
        lease = services.meter.get(endpoint_name)
        return CostsView.of(services.money.costs.of_lease(lease))
    except LeaseNotFound:
        return None
    except ParkadeError as error:
        logger.warning("what %s cost cannot be told: %s", endpoint_name, error.message)
        return None


def _not_found(endpoint_name: str) -> EndpointNotFound:
    return EndpointNotFound(
        f"there is no endpoint {endpoint_name!r}", hint="GET /v1/endpoints lists all"
    )
