"""How long endpoints take to start, as measured: until every instance answers.

A start begins when an endpoint is created, when it is woken, or when it is updated to another
endpoint config, until the first requests go to its fleet. The measurements are in the history, where
the host tells of all of this; here the last of each endpoint config are remembered.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.eventbridge import CHANGE
from parkade.domain.stages import Stage
from parkade.ports.events import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from parkade.domain.event import Event, Json
    from parkade.ports.events import History

#: So many of the last starts of an endpoint config count.
REMEMBERED = 20
#: The share of starts that take no longer than is expected.
SHARE = 0.9
#: So old a start may be to count: a history that goes back for years is not read for it.
COUNTED = timedelta(days=90)
#: So much of the history is read at a time.
_AT_FIRST = 5000
#: What a start begins with, beside the creation that its end tells of, and what it ends with.
_UPDATING, _WAKING = "endpoint.updating", "endpoint.waking"
_IN_SERVICE, _SWITCHED, _AWAKE = "endpoint.in_service", "endpoint.switched", "endpoint.awake"
#: An update in stages tells of each.
_STAGED = "endpoint.rollout"
_KINDS = (_UPDATING, _WAKING, _IN_SERVICE, _SWITCHED, _AWAKE, _STAGED)


class Starts:
    """Knows the starts of each endpoint config; safe to use from several threads.

    `margin` is added to what was measured, `first` counts for a config that never was started.
    `since` tells from when on starts count when a process begins; None: all of the history.
    """

    def __init__(
        self,
        history: History,
        *,
        margin: Callable[[], timedelta] = timedelta,
        first: Callable[[], timedelta] = timedelta,
        since: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        self._history = history
        self._margin = margin
        self._first = first
        self._since = since
        self._lock = threading.Lock()
        self._seen = -1
        self._spans: dict[str, deque[timedelta]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        #: Starts that were begun and have not ended, as far as was read, by endpoint.
        self._begun: dict[str, _Begun] = {}

    def expected(self, config_name: str) -> timedelta | None:
        """Return what nine starts in ten do not exceed; None: it was never started."""
        with self._lock:
            self._read()
            return self._expected(config_name)

    def by_config(self) -> Mapping[str, timedelta]:
        """Return what is expected of each config that was ever started."""
        with self._lock:
            self._read()
            known = {name: self._expected(name) for name in self._spans}
        return {name: span for name, span in known.items() if span is not None}

    def leads(self, config_names: Iterable[str]) -> Mapping[str, timedelta]:
        """Return how long before it is wanted an endpoint of each config is started."""
        names = list(config_names)
        if not names:
            return {}  # the history is long, and nobody has asked
        with self._lock:
            self._read()
            return {name: self._lead(self._expected(name)) for name in names}

    def _expected(self, config_name: str) -> timedelta | None:
        spans = sorted(self._spans.get(config_name, ()))
        return spans[math.ceil(SHARE * len(spans)) - 1] if spans else None

    def _lead(self, expected: timedelta | None) -> timedelta:
        return self._first() if expected is None else expected + self._margin()

    def _read(self) -> None:
        if self._seen < 0:
            query = EventQuery(kinds=_KINDS, since=self._since(), limit=_AT_FIRST)
            events = self._history.latest(query)
            self._seen = 0
        else:
            events = self._history.read(EventQuery(kinds=_KINDS, after=self._seen, limit=_AT_FIRST))
        for event in events:
            self._seen = event.number
            self._note(event)

    def _note(self, event: Event) -> None:
        """Remember what the event says of a start: its beginning, or its end."""
        begun = self._begun.pop(event.endpoint_name, None)
        change = event.data.get(CHANGE)
        if not isinstance(change, dict):
            return
        if event.kind in {_UPDATING, _WAKING}:
            if (config_name := _coming(event.kind, change)) is not None:
                self._begun[event.endpoint_name] = _Begun(config_name, event.at)
            return
        if event.kind == _IN_SERVICE:
            begun = _created(change)
        if begun is None:
            return
        stage = _stage(change) if event.kind == _STAGED else Stage.SHIFTING
        if stage == Stage.RISING:  # a person has promoted what does not answer yet
            self._begun[event.endpoint_name] = begun
        elif stage == Stage.SHIFTING:
            self._spans[begun.config_name].append(event.at - begun.at)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A start: of which endpoint config, and since when."""

    config_name: str
    at: datetime


def _coming(kind: str, change: Mapping[str, Json]) -> str | None:
    """Return the endpoint config whose fleet is being brought up, if a whole one is."""
    serving, pending = change.get("config_name"), change.get("pending")
    if kind == _WAKING:
        return serving if isinstance(serving, str) else None
    if not isinstance(pending, dict) or pending.get("same_fleet"):
        return None  # some instances come to those that serve, or none
    coming = pending.get("config_name")
    return coming if isinstance(coming, str) and coming != serving else None


def _stage(change: Mapping[str, Json]) -> object:
    """Return the stage of the update that the change is a part of."""
    pending = change.get("pending")
    return pending.get("stage") if isinstance(pending, dict) else None


def _created(change: Mapping[str, Json]) -> _Begun | None:
    """Return the start that an endpoint's coming into service ends, if it was created then."""
    if change.get("status_before") != EndpointStatus.CREATING:
        return None
    name, created_at = change.get("config_name"), change.get("created_at")
    if not isinstance(name, str) or not isinstance(created_at, str):
        return None
    return _Begun(name, datetime.fromisoformat(created_at))
