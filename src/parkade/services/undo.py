"""Undo: what was stopped or deleted comes back as it was, in one command.

An endpoint leaves its blueprint and its tags behind when it goes, whatever made it go; what its
lease had is told by the history. Its config and models are made again where they were deleted
meanwhile; where another one has their name, nothing is changed and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    ConfigNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    LeaseNotFound,
    ModelNotFound,
    ParkadeError,
)
from parkade.domain.event import Event, in_minutes
from parkade.domain.lease import EndReason, Lease
from parkade.domain.spans import duration
from parkade.ports.events import EventQuery
from parkade.services.acting import bring_back
from parkade.services.maintainer import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.hosting import Hosting
    from parkade.ports.inventory import Inventory
    from parkade.ports.remains import Remains, RemainsStore
    from parkade.services.meter import Meter
    from parkade.services.terms import TermsBook


#: What tells that a lease was given back, and, after it, that the undo is at its end.
_GIVEN_BACK, _RESTORED = "lease.restored", "endpoint.restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """What can be brought back, and what with it."""

    remains: Remains
    #: The time that its lease had when it was ended; None: it had no lease.
    time: timedelta | None
    owner: str
    #: Until when it can be.
    until: datetime


class Undo:
    """Brings back the last endpoint of a name. `changed` is called after that."""

    def __init__(
        self,
        *,
        remains: RemainsStore,
        catalog: Inventory,
        meter: Meter,
        hosting: Hosting,
        history: History,
        terms: TermsBook,
        clock: Clock,
        kept: Callable[[], timedelta],
        leases_only: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        """Take the ports and services.

        `kept` tells how long remains are kept, `leases_only` whether nothing runs without a lease.
        """
        self._remains = remains
        self._catalog = catalog
        self._meter = meter
        self._hosting = hosting
        self._history = history
        self._terms = terms
        self._clock = clock
        self._kept = kept
        self._leases_only = leases_only
        self._changed = changed

    def all(self) -> tuple[Undoable, ...]:
        """Return what can be brought back now, in the order of names."""
        found: list[Undoable] = []
        for each in self._remains.all().records:
            try:
                found.append(self.look(each.endpoint_name))
            except ParkadeError:
                continue  # asking for it by its name says why not
        return tuple(found)

    def look(self, endpoint_name: str) -> Undoable:
        """Return what an undo would bring back.

        Raises Conflict where the endpoint runs, or had no time left when it went, and
        EndpointNotFound where nothing is known of one that went.
        """
        now = self._clock.now()
        lease = self._lease(endpoint_name)
        seen = self._hosting.endpoints().get(endpoint_name)
        if lease is not None and not lease.over(now):
            raise _runs(endpoint_name, f"its lease has {duration(lease.time_left(now))} left")
        if lease is None and seen is not None and seen.status is not EndpointStatus.DELETING:
            raise _runs(endpoint_name, f"it is {seen.status}")
        remains = self._remains.get(endpoint_name)
        until = None if remains is None else remains.removed_at + self._kept()
        if remains is None or until is None or until < now:
            raise EndpointNotFound(
                f"nothing is known of an endpoint {endpoint_name!r} that was stopped or deleted "
                f"within the last {duration(self._kept())}",
                hint="see what can be brought back: parkade undo --list",
            )
        given, owner = self._given_up(remains, lease)
        return Undoable(remains=remains, time=given, owner=owner, until=until)

    def undo(self, endpoint_name: str, *, actor: str) -> Undoable:
        """Bring it back; return what was. Raises what `look` raises.

        Raises Conflict also where another config or model has a name that it needs, EndpointBusy
        while it is still being deleted and has no lease to wait with, and what a budget refuses.
        One that a crash kept from its end is finished.
        """
        if (begun := self._begun(endpoint_name)) is not None:
            self._finish(begun, actor)
            return begun
        found = self.look(endpoint_name)
        remains = found.remains
        self._require_possible(found)
        self._restore_config(remains.blueprint, actor)
        if remains.tags and not self._catalog.tags(ENDPOINT, endpoint_name):
            self._catalog.put_tags(ENDPOINT, endpoint_name, remains.tags)
        config_name = remains.blueprint.config.name
        if found.time is None:
            bring_back(endpoint_name, config_name, self._hosting)
        else:
            self._meter.restore(
                endpoint_name, found.time, config_name=config_name, owner=found.owner, actor=actor
            )
        self._finish(found, actor)
        return found

    def forget(self) -> None:
        """Forget what is too old to be brought back."""
        self._remains.forget(self._clock.now() - self._kept())

    def _begun(self, endpoint_name: str) -> Undoable | None:
        """Return what was brought back by an undo that a crash kept from its end; None: nothing."""
        lease, remains = self._lease(endpoint_name), self._remains.get(endpoint_name)
        if lease is None or remains is None or lease.over(self._clock.now()):
            return None
        last = self._latest(endpoint_name, _GIVEN_BACK, _RESTORED, "lease.ended")
        if last is None or last.kind != _GIVEN_BACK or last.at < remains.removed_at:
            return None
        minutes = last.data.get("minutes")
        time = timedelta(minutes=minutes) if isinstance(minutes, int | float) else timedelta(0)
        until = remains.removed_at + self._kept()
        return Undoable(remains=remains, time=time, owner=lease.owner, until=until)

    def _finish(self, found: Undoable, actor: str) -> None:
        """Do what follows once the lease, or the endpoint, is there again."""
        terms, name = found.remains.terms, found.remains.endpoint_name
        if found.time is not None and terms is not None and self._terms.get(name) is None:
            self._terms.put(replace(terms, version=0), actor)
        self._tell(found, actor)
        self._changed()

    def _given_up(self, remains: Remains, lease: Lease | None) -> tuple[timedelta | None, str]:
        """Return the time that a lease had when it ended, and whose it was; None: no lease."""
        name = remains.endpoint_name
        if lease is not None:
            ended, owner = lease.reason_over(), lease.owner
        else:
            removed = self._latest(name, "lease.removed")
            if removed is None or removed.at < remains.created_at:
                return None, ""
            ended = EndReason(str(removed.data.get("ended", EndReason.EXPIRED)))
            owner = str(removed.data.get("owner", ""))
        closing = self._latest(name, "lease.ended")
        given = _minutes(closing) if closing and ended is not EndReason.EXPIRED else timedelta(0)
        if given > timedelta(0):
            return given, owner
        config = remains.blueprint.config.name
        raise Conflict(
            f"the time of {name!r} had run out, so that there is none to give back",
            hint=f"parkade extend {name} --minutes 30"
            if lease
            else f"parkade add {name} --config {config} --minutes 30",
        )

    def _require_possible(self, found: Undoable) -> None:
        remains, name = found.remains, found.remains.endpoint_name
        if found.time is not None:
            return
        if self._leases_only():
            raise Conflict(
                f"{name!r} had no lease, and this server runs no endpoint without one",
                hint=f"parkade add {name} --config {remains.blueprint.config.name} --minutes 30",
            )
        if name in self._hosting.endpoints():
            raise EndpointBusy(
                f"endpoint {name!r} is still being deleted",
                hint=f"repeat it when it is gone: parkade undo {name}",
            )

    def _restore_config(self, blueprint: Blueprint, actor: str) -> None:
        """Make config and models again where they are gone; others of their names are in the way."""
        models = [each for each in blueprint.models if not self._has_model(each)]
        has_config = self._has_config(blueprint.config)
        for model in models:
            self._catalog.add_model(model, self._made("model", model.name, actor))
        if not has_config:
            config = blueprint.config
            self._catalog.add_config(config, self._made("config", config.name, actor))

    def _has_model(self, model: Model) -> bool:
        try:
            held = self._catalog.model(model.name)
        except ModelNotFound:
            return False
        return _same("model", model.name, held.created_at, model.created_at)

    def _has_config(self, config: EndpointConfig) -> bool:
        try:
            held = self._catalog.config(config.name)
        except ConfigNotFound:
            return False
        return _same("endpoint config", config.name, held.created_at, config.created_at)

    def _made(self, kind: str, name: str, actor: str) -> Event:
        return Event(
            at=self._clock.now(),
            kind=f"{kind}.created",
            actor=actor,
            reason=f"{name} was made again, as an endpoint that is brought back had it",
            data={"name": name},
        )

    def _tell(self, found: Undoable, actor: str) -> None:
        config_name = found.remains.blueprint.config.name
        back = "" if found.time is None else f", with {duration(found.time)} given back"
        self._history.append(
            Event(
                at=self._clock.now(),
                kind=_RESTORED,
                actor=actor,
                reason=f"it is brought back from {config_name}{back}",
                endpoint_name=found.remains.endpoint_name,
                data={
                    "config_name": config_name,
                    "minutes": None if found.time is None else in_minutes(found.time),
                    "tags": dict(found.remains.tags),
                },
            )
        )

    def _latest(self, endpoint_name: str, *kinds: str) -> Event | None:
        query = EventQuery(endpoint_name=endpoint_name, kinds=kinds, limit=1)
        return next(iter(self._history.latest(query)), None)

    def _lease(self, endpoint_name: str) -> Lease | None:
        try:
            return self._meter.get(endpoint_name)
        except LeaseNotFound:
            return None


def _minutes(event: Event) -> timedelta:
    given = event.data.get("minutes_given_up")
    return timedelta(minutes=given) if isinstance(given, int | float) else timedelta(0)


def _same(noun: str, name: str, held: datetime, recorded: datetime) -> bool:
    """Return that it is there. Raises Conflict where it is another one of the name."""
    if held != recorded:
        raise Conflict(
            f"{noun} {name!r} was made anew since; the endpoint ran the earlier one",
            hint="delete the present one, or start the endpoint with it: parkade start",
        )
    return True


def _runs(endpoint_name: str, why: str) -> Conflict:
    return Conflict(
        f"{endpoint_name!r} is not gone: {why}; there is nothing to undo",
        hint=f"see: parkade show {endpoint_name}",
    )
