"""Builds the whole state that gateways route by, and pushes it when it changed."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.apps import link
from parkade.apps.control import routing
from parkade.domain.standing import expecting, standing

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.apps.assembly import Services
    from parkade.apps.control.link import LinkServer
    from parkade.domain.errors import ParkadeError
    from parkade.domain.lease import Lease
    from parkade.domain.standing import Refusal, Standing
    from parkade.domain.terms import Terms


class Publisher:
    """Pushes a snapshot after every change; several changes of one moment are one push."""

    def __init__(self, services: Services, server: LinkServer, usage_seconds: float) -> None:
        self._services = services
        self._server = server
        self._usage_seconds = usage_seconds
        self._inside = secrets.token_urlsafe(32)
        self._last: link.Snapshot | None = None
        self._version = 0
        self._pending: asyncio.Handle | None = None
        self._refused = False

    @property
    def inside(self) -> str:
        """The secret by which this control process invokes through the gateway."""
        return self._inside

    def changed(self) -> None:
        """Publish soon."""
        if self._pending is None:
            self._pending = asyncio.get_running_loop().call_soon(self._publish)

    def time_passed(self) -> None:
        """Publish soon where a wake was refused: a budget has room again by time alone."""
        if self._refused:
            self.changed()

    async def settled(self) -> None:
        """Return once every gateway routes by what is true now, or after its time limit."""
        if self._pending is not None:
            self._pending.cancel()
            self._publish()
        await self._server.settled()

    def _publish(self) -> None:
        self._pending = None
        snapshot = self._build(self._version)
        if snapshot == self._last:
            return
        self._version += 1
        self._last = replace(snapshot, version=self._version)
        self._server.push(self._last)

    def _build(self, version: int) -> link.Snapshot:
        services = self._services
        limits, capture = services.file().limits, services.file().capture
        return link.Snapshot(
            version=version,
            auth=services.settings.auth,
            endpoints=self._endpoints(),
            routes={route.path: routing.route_view(route) for route in services.routes.all()},
            tokens=tuple(
                link.TokenView(
                    name=token.name,
                    digest=token.digest,
                    role=str(token.role),
                    endpoints=tuple(sorted(token.endpoints)),
                    expires_at=token.expires_at.timestamp() if token.expires_at else None,
                )
                for token in services.tokens.all()
                if token.live(services.wall.now())
            ),
            limits=link.Limits(
                body_bytes=limits.body_bytes,
                rate=limits.rate,
                burst=limits.burst,
                waiting=limits.waiting,
                hold_max=limits.hold_max,
                hold_bytes=limits.hold_bytes,
                hold_seconds=limits.hold_seconds,
                model_seconds=limits.model_seconds,
                usage_seconds=self._usage_seconds,
                spread_at=services.file().multi_model.spread_at,
                capture_seconds=capture.flush_seconds,
                capture_disk_percent=capture.disk_percent,
            ),
            inside=self._inside,
        )

    def _endpoints(self) -> dict[str, link.EndpointView]:
        services = self._services
        now = services.clock.now()
        leases = {lease.endpoint_name: lease for lease in services.meter.all().leases}
        observed = services.host.observed()
        fleets = services.host.fleets()
        expected, scale = services.upkeep.starts.by_config().get, services.settings.time_scale
        self._refused = False
        refusal = self._noting(services.upkeep.affording.at_once())
        terms = services.upkeep.terms.by_endpoint()
        views: dict[str, link.EndpointView] = {}
        for name in leases.keys() | observed.keys():
            stands = standing(
                leases.get(name),
                observed.get(name),
                now,
                expected=expected,
                terms=terms.get(name),
                refusal=refusal,
            )
            if stands is not None:
                real = in_real_time(stands, services.wall.now(), scale)
                views[name] = routing.endpoint_view(real, fleets.get(name))
        return views

    def _noting(self, refusal: Refusal) -> Refusal:
        """Return it, and remember that it has refused something."""

        def noted(lease: Lease, terms: Terms | None) -> ParkadeError | None:
            refused = refusal(lease, terms)
            self._refused = self._refused or refused is not None
            return refused

        return noted


def in_real_time(stands: Standing, real_now: datetime, scale: float) -> Standing:
    """Return what callers are told: they wait in real time, whatever the clock of leases does."""
    wait = stands.retry_after / scale
    if stands.expected_at is None:
        return replace(stands, retry_after=wait)
    at = real_now + wait
    return replace(stands, retry_after=wait, expected_at=at, hint=expecting(at))
