"""`notices`: tells the bus of every event that is written down, and people of notices.

The table's stream gives events in the order in which they were written, at least once. One that is
not taken is given back with all that follow it, so that the order stays; what cannot be told at all
is tried as often as its stream allows, and ends in the queue of dead letters. Who gets one twice can
tell by its number.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from parkade.apps.lambdas.start import Function
from parkade.domain.actions import NoticeKind
from parkade.domain.errors import ParkadeError
from parkade.domain.event import PROJECT, is_kind
from parkade.ports.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.event import Event, Json
    from parkade.ports.notices import Notices

logger = logging.getLogger(__name__)

_NOTICE = "notice."
#: Numbers of events that this process has told: a batch that comes again begins behind them.
_REMEMBERED = 10_000


class Untold(Protocol):
    """An event that was not taken."""

    @property
    def event(self) -> Event:
        """The event."""
        ...

    @property
    def why(self) -> str:
        """Why."""
        ...

    @property
    def final(self) -> bool:
        """Whether the bus will never take it."""
        ...


class Bus(Protocol):
    """Takes events."""

    def tell(self, events: Sequence[Event]) -> Sequence[Untold]:
        """Send the events; return those that were not taken."""
        ...


@dataclass(frozen=True, slots=True)
class _Record:
    """One record of the stream; no event: it cannot be read."""

    number: str
    event: Event | None


class Telling:
    """Answers one batch. `read` returns the event of a new image of an item, or raises."""

    def __init__(
        self, read: Callable[[Mapping[str, Any]], Event | None], bus: Bus, notices: Notices
    ) -> None:
        self._read = read
        self._bus = bus
        self._notices = notices
        self._on_bus: deque[int] = deque(maxlen=_REMEMBERED)
        self._told: deque[int] = deque(maxlen=_REMEMBERED)

    def __call__(self, event: Mapping[str, Any], _: Call) -> dict[str, Any]:
        """Tell of a batch, up to what cannot be told; say from where it is to come again."""
        records = []
        for record in event["Records"]:
            records.append(self._of(record))
            if records[-1].event is None and records[-1].number:
                break  # what follows waits, so that the order stays
        failed = self._tell([each for each in records if each.number])
        return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}

    def _of(self, record: Mapping[str, Any]) -> _Record:
        """Return a record; one that tells of no event has no number."""
        change = record["dynamodb"]
        number = str(change["SequenceNumber"])
        try:
            found = self._read(change.get("NewImage") or {})
        except ParkadeError as error:
            logger.error("an event cannot be read: %s", error)  # noqa: TRY400  no bug
            return _Record(number, None)
        return _Record(number if found else "", found)

    def _tell(self, records: Sequence[_Record]) -> str:
        """Tell of them; return the number of the first that is to come again, empty: none is."""
        events = [each.event for each in records if each.event is not None]
        fresh = [each for each in events if each.number not in self._on_bus]
        untold: dict[int, str] = {}
        for refused in self._bus.tell(fresh):
            if refused.final:
                # The history has it; what comes after it must not wait for what will never be.
                logger.error("event %d is on no bus: %s", refused.event.number, refused.why)
            else:
                untold[refused.event.number] = refused.why
        for each in fresh:
            if each.number not in untold:
                self._on_bus.append(each.number)
        for record in records:
            found = record.event
            if found is None:
                return record.number
            if found.number in untold:
                logger.error("event %d is not told: %s", found.number, untold[found.number])
                return record.number
            if not self._notify(found):
                return record.number
        return ""

    def _notify(self, event: Event) -> bool:
        """Tell people where it is a notice; return whether that was done."""
        if not is_kind(event.kind, _NOTICE) or event.number in self._told:
            return True
        try:
            self._notices.tell(notice(event))
        except ParkadeError as error:
            logger.error("notice %d is not told: %s", event.number, error)  # noqa: TRY400  no bug
            return False
        self._told.append(event.number)
        return True


def notice(event: Event) -> Notice:
    """Return the notice that an event tells of."""
    until = _text(event.data.get("expires_at"))
    return Notice(
        at=event.at,
        kind=NoticeKind(event.kind.removeprefix(_NOTICE)),
        endpoint_name=event.endpoint_name,
        owner=event.owner,
        text=event.reason,
        project=_text(event.data.get(PROJECT)),
        expires_at=datetime.fromisoformat(until) if until else None,
        link=_text(event.data.get("link")),
    )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _build(settings: FunctionSettings) -> Telling:
    from parkade.adapters.aws.dynamodb.streams import event_of  # noqa: PLC0415  at the first call
    from parkade.adapters.aws.eventbridge import EventBus  # noqa: PLC0415
    from parkade.adapters.aws.sns import SnsNotices  # noqa: PLC0415
    from parkade.apps.lambdas import means  # noqa: PLC0415

    account = means.account(settings)
    return Telling(event_of, EventBus(account, settings.bus), SnsNotices(account, settings.topic))


handler = Function(_build)
