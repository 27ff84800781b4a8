"""Testers that the server keeps, and what their runs are wired to."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.adapters.embedded.testruns import ProcessRunner
from parkade.domain.spans import duration
from parkade.domain.standing import State, standing
from parkade.services.testers import Testers
from parkade.services.testing.rounds import Means, Rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from parkade.apps.parts.stores import OwnStores
    from parkade.apps.parts.upkeep import Upkeep
    from parkade.apps.serverfile import ServerFile
    from parkade.apps.statefolder import StatePaths
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook
    from parkade.ports.metrics import MetricStore
    from parkade.ports.objects import Objects
    from parkade.ports.usage import Usage
    from parkade.services.routes import Routes

#: Starts one run; its job comes on standard input.
COMMAND = (sys.executable, "-m", "parkade.apps.tester")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What testers work with."""

    paths: StatePaths
    stores: OwnStores
    history: History
    clock: Clock
    #: Seconds of the lease clock in one of real time.
    scale: float
    objects: Objects
    metrics: MetricStore
    usage: Usage
    routes: Routes
    book: LeaseBook
    hosting: Hosting
    upkeep: Upkeep
    inside: Callable[[], str]
    file: Callable[[], ServerFile]
    spawn: Callable[[Coroutine[object, object, object]], None]
    changed: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Testing:
    """The services of this area."""

    testers: Testers
    rounds: Rounds


def build(ports: Ports) -> Testing:
    """Build the services of this area."""
    store = ports.stores.testers
    rounds = Rounds(
        Means(
            store=store,
            runner=ProcessRunner(COMMAND, ports.paths.gateway_socket, ports.inside),
            sight=EndpointSight(ports),
            objects=ports.objects,
            metrics=ports.metrics,
            history=ports.history,
            clock=ports.clock,
            scale=ports.scale,
            room=lambda: ports.file().limits.testers,
            spawn=ports.spawn,
            changed=ports.changed,
        )
    )
    return Testing(testers=Testers(store, clock=ports.clock, changed=rounds.nudge), rounds=rounds)


class EndpointSight:
    """What testers see of endpoints: `services.testing.rounds.Sight`."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def leads_to(self, route: str) -> str:
        """Return the endpoint that a route invokes; empty: there is no such route."""
        routes = self._ports.routes.all()
        return next((each.endpoint_name for each in routes if each.path == route), "")

    def absent(self, endpoint_name: str) -> str:
        """Return why the endpoint does not serve, for people; empty: it does."""
        ports = self._ports
        now = ports.clock.now()
        stands = standing(
            {each.endpoint_name: each for each in ports.book.all().leases}.get(endpoint_name),
            ports.hosting.endpoints().get(endpoint_name),
            now,
            terms=ports.upkeep.terms.by_endpoint().get(endpoint_name),
        )
        if stands is None:
            return "there is no such endpoint"
        return "" if stands.state is State.RUNNING else stands.reason

    def heeded(self, endpoint_name: str) -> str:
        """Return what follows where nobody uses the endpoint; empty: nothing does."""
        terms = self._ports.upkeep.terms.by_endpoint().get(endpoint_name)
        sleep = terms.sleep if terms is not None else None
        if sleep is not None and sleep.after is not None:
            return f"it sleeps after {duration(sleep.after)} without use"
        if terms is not None and terms.keep is not None:
            return "its lease is extended by use"
        if self._ports.upkeep.maintaining.asked(endpoint_name) is not None:
            return "the maintainer stops what nobody uses"
        return ""

    def used_at(self, endpoint_name: str) -> datetime | None:
        """Return when it was last used, by whomever; None: that is not known."""
        now = self._ports.clock.now()
        return self._ports.usage.uses([endpoint_name], now)[endpoint_name].used_at
