"""All endpoints that the newest snapshot tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps import link
from parkade.apps.gateway import answers, objections
from parkade.apps.gateway.deadlines import Deadlines
from parkade.apps.gateway.dispatch import Endpoint
from parkade.apps.gateway.headers import ENDPOINT_NAME
from parkade.apps.gateway.holding import Holding

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from parkade.apps.gateway.awaiting import Awaiting
    from parkade.apps.gateway.counters import Ledger
    from parkade.apps.gateway.taps import Taps
    from parkade.apps.gateway.targets import Targets, Wanted
    from parkade.apps.gateway.wishes import Wishes


class Fleet:
    """All endpoints of the newest snapshot, and the limits they share."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ledger: Ledger,
        wall: Callable[[], float],
        targets: Targets,
        taps: Taps,
        wishes: Wishes,
    ) -> None:
        """Read real time from `wall`, in seconds of the epoch."""
        limits = link.Limits()
        self.ledger = ledger
        self.wall = wall
        self.taps = taps
        self.targets = targets
        #: What control is asked to wake, and who is held meanwhile.
        self.wishes = wishes
        self.holding = Holding(loop)
        targets.settled = self._settled
        self.waiting = limits.waiting
        self.body_bytes = limits.body_bytes
        #: How long a model may take to begin its answer, and for the rest of it.
        self.patience: Deadlines[Awaiting] = Deadlines(loop, limits.model_seconds, _expire)
        self.stream_patience: Deadlines[Awaiting] = Deadlines(loop, limits.stream_seconds, _expire)
        #: The same for models where routes give them another time, by its seconds.
        self.patiences: dict[float, Deadlines[Awaiting]] = {}
        self._loop = loop
        self._endpoints: dict[str, Endpoint] = {}
        self._unknown = False

    def apply(self, snapshot: link.Snapshot) -> None:
        """Make the snapshot the truth; what is under way goes on undisturbed."""
        limits = snapshot.limits
        self.waiting = limits.waiting
        self.body_bytes = limits.body_bytes
        self.taps.limits = limits
        self.holding.apply(limits)
        self.targets.spread_at = limits.spread_at
        if limits.model_seconds != self.patience.seconds:
            # What was begun under the former limit keeps it.
            self.patience = Deadlines(self._loop, limits.model_seconds, _expire)
        if limits.stream_seconds != self.stream_patience.seconds:
            self.stream_patience = Deadlines(self._loop, limits.stream_seconds, _expire)
        self.patiences = {
            seconds: self.patiences.get(seconds) or Deadlines(self._loop, seconds, _expire)
            for route in snapshot.routes.values()
            if (seconds := route.seconds) is not None
        }
        former = self._endpoints
        self._endpoints = {}
        self._unknown = True
        for name, view in snapshot.endpoints.items():
            known = former.pop(name, None)
            endpoint = self._endpoints[name] = Endpoint(name, self) if known is None else known
            endpoint.update(view)
        for endpoint in former.values():
            endpoint.vanish()
        self.ledger.forget(self._endpoints)

    def _settled(self, wanted: Wanted, refusal: answers.Answer | None) -> None:
        endpoint_name, variant_name, generation, target = wanted
        if endpoint_name in self._endpoints:
            self._endpoints[endpoint_name].settled((variant_name, generation), target, refusal)

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint, or for an unknown name one that says so to all invocations."""
        known = self._endpoints.get(name)
        if known is not None:
            return known
        fault = ENDPOINT_NAME.fault(name)
        if fault:
            refusal = objections.invalid(f"1 validation error detected: {fault}")
        else:
            refusal = answers.unknown_endpoint(name) if self._unknown else answers.NOT_YET
        return Endpoint(name, self, refusal)


def _expire(invocation: Awaiting) -> None:
    invocation.expire()
