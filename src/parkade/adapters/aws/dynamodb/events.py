"""The history: every event an item, numbered by the instant at which it was stored.

A number is microseconds since the epoch. Within a process numbers rise strictly; where another
process was given the same one, the write that comes second is numbered anew. A counter that all
writers share would let only one of them write at a time.

What is asked about one endpoint is read by an index, which has an event a moment after it was
stored. What this process has stored itself it remembers that long, so that nobody is told twice.

An event is stored in the transaction of the change that it tells:

    history.store([table.change.put(...)], event)
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.changes import Condition, absent
from parkade.adapters.aws.dynamodb.shape import BY_ENDPOINT, about
from parkade.adapters.documents import columns, events
from parkade.domain.errors import Unavailable, Unreadable, VersionConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.adapters.aws.dynamodb.attributes import Attribute, Item
    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.table import Table
    from parkade.domain.event import Event
    from parkade.ports.clock import Clock
    from parkade.ports.events import EventQuery

KIND = "event"
#: The partition of leases, of which events take their owner.
LEASE = "lease"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: How long an event is remembered here at least, lest an index does not have it yet.
_INDEXED = timedelta(seconds=30)
#: How much earlier an event may be stored than it happened, by clocks that differ.
_SKEW = timedelta(hours=1)
#: Digits of a number as a key: its order as a text is its order as a number.
_DIGITS = 20
#: Transactions that can be given a number that is taken, one after the other.
_ATTEMPTS = 50
#: Owners that one expression can name.
_MOST_OWNERS = 100


class _Taken(VersionConflict):
    """Another process has stored an event of this number."""


class DynamoHistory:
    """The history port on the main table; `clock` tells real time."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self.table = table
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0
        #: What was stored here just now, by number: an index may not have it yet.
        self._recent: dict[int, Event] = {}

    def append(self, event: Event) -> Event:
        """Store the event in a transaction of its own."""
        return self.store((), event)

    def store(self, changes: Sequence[Change], event: Event) -> Event:
        """Make the changes and store their event, or do neither. Raises what `Table.write` does."""
        owned = replace(event, owner=event.owner or self.owner_of(event.endpoint_name))
        attributes = {
            **events.written(owned),
            BY_ENDPOINT.partition: about(KIND, event.endpoint_name),
        }
        for _ in range(_ATTEMPTS):
            number = self.number()
            told = self.table.change.put(
                (KIND, _key(number)),
                attributes,
                where=absent(self.table.shape.partition),
                lost=lambda _: _Taken("another event has this number"),
            )
            try:
                self.table.write([*changes, told])
            except _Taken:
                continue
            self._remember(replace(owned, number=number, data=json.loads(attributes["data"])))
            return replace(owned, number=number)
        raise Unavailable(
            f"no free number was found for {event.kind} in {_ATTEMPTS} attempts",
            retry_after=timedelta(seconds=1),
            hint="try again",
        )

    def owner_of(self, endpoint_name: str) -> str:
        """Return whose lease the endpoint has; a damaged one is nobody's."""
        item = self.table.get(LEASE, endpoint_name) if endpoint_name else None
        if item is None:
            return ""
        try:
            return columns.read_text(columns.read_object(item, "content"), "owner")
        except (KeyError, Unreadable):
            return ""

    def read(self, query: EventQuery) -> Sequence[Event]:
        """Return the oldest matches."""
        return self._select(query, newest_first=False)[: max(0, query.limit)]

    def latest(self, query: EventQuery) -> Sequence[Event]:
        """Return the newest matches."""
        found = self._select(query, newest_first=True)
        return found[max(0, len(found) - max(0, query.limit)) :]

    def watch(self, listener: Callable[[], None]) -> None:
        """Have it called after every transaction of this process on the table."""
        self.table.watch(listener)

    def _select(self, query: EventQuery, *, newest_first: bool) -> list[Event]:
        """Return as many matches as are asked for, or more, in the order of numbers."""
        named = query.endpoint_name
        read = map(
            told,
            self.table.query(
                KIND if named is None else about(KIND, named),
                index=None if named is None else BY_ENDPOINT,
                after=_key(_floor(query)),
                where=_filter(query),
                newest_first=newest_first,
                limit=query.limit,
            ),
        )
        found = {event.number: event for event in read}
        if named is not None:
            with self._lock:
                found |= {n: each for n, each in self._recent.items() if query.matches(each)}
        return [event for _, event in sorted(found.items())]

    def _remember(self, event: Event) -> None:
        """Remember the event, which the index by endpoints will have within a moment."""
        with self._lock:
            self._recent[event.number] = event
            for number in list(self._recent):
                if event.number - number <= _INDEXED // _MICROSECOND:
                    break
                del self._recent[number]

    def number(self) -> int:
        """Return a number as events have them: higher than all that this process was given."""
        now = (self._clock.now() - _EPOCH) // _MICROSECOND
        with self._lock:
            self._last = max(self._last + 1, now)
            return self._last


def _key(number: int) -> str:
    return f"{number:0{_DIGITS}d}"


def _floor(query: EventQuery) -> int:
    """Return a number that what is asked for is above, so that no more is read than may match."""
    floor = max(0, query.after)
    if query.since is None:
        return floor
    return max(floor, (query.since - _SKEW - _EPOCH) // _MICROSECOND)


def _filter(query: EventQuery) -> Condition | None:
    """Return what of a query is not chosen by key."""
    texts: list[str] = []
    names: dict[str, str] = {}
    values: dict[str, Attribute] = {}
    if query.owners:
        names["#owner"] = "owner"
        marks = [f":owner{place}" for place in range(len(query.owners))]
        values |= dict(zip(marks, query.owners, strict=True))
        chunks = [marks[at : at + _MOST_OWNERS] for at in range(0, len(marks), _MOST_OWNERS)]
        texts.append(" OR ".join(f"#owner IN ({', '.join(chunk)})" for chunk in chunks))
    if query.since is not None:
        names["#at"], values[":since"] = "at", columns.instant(query.since)
        texts.append("#at >= :since")
    if query.kinds:
        names["#kind"] = "kind"
        values |= {f":kind{place}": kind for place, kind in enumerate(query.kinds)}
        texts.append(
            " OR ".join(
                f"begins_with(#kind, :kind{place})"
                if kind.endswith(".")
                else f"#kind = :kind{place}"
                for place, kind in enumerate(query.kinds)
            )
        )
    return Condition(" AND ".join(f"({text})" for text in texts), names, values) if texts else None


def told(item: Item) -> Event:
    """Return the event that an item is. Raises KeyError, InvalidInput or Unreadable: it is damaged."""
    number = str(item["sk"])
    return events.read({**item, "number": int(number) if number.isdecimal() else number})
