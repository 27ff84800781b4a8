"""What the sweep does about idle endpoints, beside stopping them as it stops all others.

A stop for idleness, or sleep, is decided a second time, on what is known at that very moment,
before anything is done: whoever removes the tag, or uses the endpoint, in the last instant saves it.
A notice is marked in the watch before it is told, so that nobody hears it twice.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.actions import Action, NoticeKind
from parkade.domain.errors import LeaseNotFound, ParkadeError, VersionConflict
from parkade.domain.event import METER, Event, Json, written
from parkade.domain.leftovers import LeftOver, left_over
from parkade.domain.plan import plan
from parkade.ports.events import EventQuery
from parkade.ports.leases import Shelf
from parkade.services.maintainer import ENDPOINT
from parkade.services.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.ladder import Watch
    from parkade.domain.lease import Lease, LeaseRules
    from parkade.domain.watching import Change
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.hosting import Hosting
    from parkade.ports.inventory import Inventory
    from parkade.ports.leases import LeaseBook
    from parkade.ports.notices import Notices
    from parkade.ports.watches import WatchStore
    from parkade.services.circumstances import Around

logger = logging.getLogger(__name__)

#: The stop of an endpoint that has no lease, with its evidence.
STOPPED = "endpoint.idle_stopped"
NOTICED = "endpoint.idle"
#: Told when what was told to be unknown is known again.
KNOWN = "endpoint.use_known"
_WATCH = "watch.changed"


class Idling:
    """Carries out what the maintainer's ladder comes to."""

    def __init__(
        self,
        *,
        watches: WatchStore,
        catalog: Inventory,
        book: LeaseBook,
        hosting: Hosting,
        clock: Clock,
        rules: Callable[[], LeaseRules],
        around: Around,
        leaving: Callable[[str], None],
        history: History,
        notices: Notices,
    ) -> None:
        """Take the ports; `leaving` is called with the name of a lease before it is removed."""
        self._history = history
        self._teller = Teller(history, notices)
        self._watches = watches
        self._catalog = catalog
        self._book = book
        self._hosting = hosting
        self._clock = clock
        self._rules = rules
        self._around = around
        self._leaving = leaving

    def remember(self, now: datetime, changes: Sequence[Change]) -> None:
        """Store what the maintainer remembers from now on; what was overtaken is seen again."""
        for change in changes:
            try:
                self._store(now, change)
            except VersionConflict as lost:
                logger.info("%s", lost)
            except ParkadeError as error:
                # Nothing is stopped on what could not be stored: a new watch is due for nothing.
                logger.error("the maintainer cannot remember: %s", error.message)  # noqa: TRY400

    def _store(self, now: datetime, change: Change) -> None:
        event = _event(now, change)
        if change.after is not None:
            self._watches.put(change.after, event, before=change.before)
        elif change.before is not None:
            self._watches.remove(change.before, event)

    def still_due(self, action: Action) -> bool:
        """Decide again, on what is known now, whether this is done to it because it is idle."""
        name, now = action.endpoint_name, self._clock.now()
        seen = self._hosting.endpoints().get(name)
        lease = self._lease(name)
        if lease != action.lease or seen is None:
            return False
        shelf = Shelf((lease,) if lease else (), {})
        endpoints = {name: seen}
        around = self._around(now, shelf, endpoints)
        again = plan(now, shelf.leases, endpoints, self._rules(), around=around)
        due = any(each.kind is action.kind and each.ends is action.ends for each in again.actions)
        if not due:
            logger.info("%s: no %s after all, it is not idle any more", name, action.kind)
        return due

    def begin_stop(self, action: Action, seen: ObservedEndpoint | None, now: datetime) -> None:
        """Write down, once, why an endpoint without a lease is stopped, before it is."""
        if seen is None:
            return
        mark = written(seen.created_at)
        query = EventQuery(endpoint_name=seen.name, kinds=(STOPPED,), limit=1)
        idle_since = _idle_since(action.evidence)
        for last in self._history.latest(query):
            of_this = last.data.get("created_at") == mark
            if of_this and _idle_since(last.data.get("evidence")) == idle_since:
                return  # deleting it failed before, and is tried again
        left = self._left_over(seen.name, seen.config_name)
        data: dict[str, Json] = {
            "created_at": mark,
            "config_name": seen.config_name,
            "evidence": action.evidence,
            "left_over": {"configs": left.configs, "models": left.models},
        }
        event = Event(
            at=now,
            kind=STOPPED,
            actor=METER,
            reason=action.reason,
            endpoint_name=seen.name,
            data=data,
        )
        self._teller.record(event)
        text = f"it is deleted: {action.reason}; bring it back with: parkade undo {seen.name}"
        self._teller.tell(event, NoticeKind.IDLE, text + _kept(left))

    def end_stop(self, action: Action) -> None:
        """Let the tags of an endpoint go with it, where no lease keeps its name."""
        self._catalog.put_tags(ENDPOINT, action.endpoint_name, {})

    def notice(self, action: Action, watch: Watch | None, now: datetime) -> bool:
        """Tell the owner, marked before it is said; return whether it was not said before."""
        if watch is None:
            return False
        event = Event(
            at=now,
            kind=NOTICED,
            actor=METER,
            reason=action.reason,
            endpoint_name=action.endpoint_name,
            data={"evidence": action.evidence},
        )
        self._watches.put(replace(watch, noticed_at=now), event, before=watch)
        self._teller.tell(event, NoticeKind.IDLE, _advice(action, watch), action.lease)
        return True

    def remove(self, action: Action, lease: Lease, now: datetime) -> None:
        """Remove a lease that idleness ended long ago, and tell what is left over."""
        name = action.endpoint_name
        left = self._left_over(name, lease.config_name)
        data: dict[str, Json] = {
            "config_name": lease.config_name,
            "owner": lease.owner,
            "ended": lease.reason_over(),
            "left_over": {"configs": left.configs, "models": left.models},
        }
        event = Event(
            at=now,
            kind="lease.removed",
            actor=METER,
            reason=action.reason,
            endpoint_name=name,
            data=data,
        )
        self._leaving(name)
        self._book.remove(lease, event)
        text = f"its lease is removed: {action.reason}; bring it back with: parkade undo {name}"
        self._teller.tell(event, NoticeKind.IDLE, text + _kept(left), lease)

    def _left_over(self, endpoint_name: str, config_name: str) -> LeftOver:
        """Return what nothing but this endpoint uses, as far as that can be read."""
        leases, endpoints = self._book.all(), self._catalog.endpoints()
        configs = self._catalog.configs()
        if leases.unreadable or endpoints.unreadable or configs.unreadable:
            return LeftOver(configs=(), models=())
        used = {each.config_name for each in leases.leases if each.endpoint_name != endpoint_name}
        for endpoint in endpoints.records:
            if endpoint.name != endpoint_name:
                used |= {endpoint.config_name}
                used |= {endpoint.target.config.name} if endpoint.target else set()
        return left_over(config_name, {each.name: each for each in configs.records}, used)

    def _lease(self, endpoint_name: str) -> Lease | None:
        try:
            return self._book.get(endpoint_name)
        except LeaseNotFound:
            return None


def _event(now: datetime, change: Change) -> Event | None:
    """Return what the history tells of a change; None: it is no news."""
    before, after = change.before, change.after
    kind, reason = _WATCH, change.reason
    data: Mapping[str, Json] = {}
    if after is None:
        kind = "watch.ended"
    elif before is None or before.created_at != after.created_at:
        kind, data = "watch.begun", {"by": after.by, "rules": after.rules.written()}
    elif reason:
        data = {"by": after.by, "rules": after.rules.written()}
    elif before.unknown_since and not after.unknown_since:
        if now < before.unknown_since + before.rules.window:
            return None  # it was not told that it was unknown
        kind, reason = KNOWN, "how it is used is known again"
    else:
        return None
    return Event(
        at=now,
        kind=kind,
        actor=METER,
        reason=reason,
        endpoint_name=change.endpoint_name,
        data=data,
    )


def _idle_since(evidence: Json) -> Json:
    """Return which idle time it was decided on."""
    return evidence.get("idle_since") if isinstance(evidence, dict) else None


def _advice(action: Action, watch: Watch) -> str:
    """Say why, what follows, and how to keep it."""
    name = action.endpoint_name
    if watch.rules.stop_after is None:
        return f"{action.reason}; stop it with: parkade stop {name}"
    back = f"parkade extend {name} --minutes 30" if action.lease else f"parkade undo {name}"
    return (
        f"{action.reason} unless it is used; to keep it: parkade snooze {name}; after the stop "
        f"{back} starts it again"
    )


def _kept(left: LeftOver) -> str:
    return f"; left over, and kept: {left.words}" if left.words else ""
