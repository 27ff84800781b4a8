"""How long endpoints take to start, as measured: from their creation to InService.

The measurements are in the history, where the host tells of every endpoint that came into service;
here the last of each endpoint config are remembered.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.eventbridge import CHANGE
from parkade.ports.events import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from parkade.domain.event import Event
    from parkade.ports.events import History

#: So many of the last starts of an endpoint config count.
REMEMBERED = 20
#: The share of starts that take no longer than is expected.
SHARE = 0.9
#: So far back the history is read when a process begins, and so much of it at a time.
_AT_FIRST = 5000
_KIND = "endpoint.in_service"


class Starts:
    """Knows the starts of each endpoint config; safe to use from several threads.

    `margin` is added to what was measured, `first` counts for a config that never was started.
    """

    def __init__(
        self,
        history: History,
        *,
        margin: Callable[[], timedelta] = timedelta,
        first: Callable[[], timedelta] = timedelta,
    ) -> None:
        self._history = history
        self._margin = margin
        self._first = first
        self._lock = threading.Lock()
        self._seen = -1
        self._spans: dict[str, deque[timedelta]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def expected(self, config_name: str) -> timedelta | None:
        """Return what nine starts in ten do not exceed; None: it was never started."""
        with self._lock:
            self._read()
            return self._expected(config_name)

    def leads(self, config_names: Iterable[str]) -> Mapping[str, timedelta]:
        """Return how long before it is wanted an endpoint of each config is started."""
        with self._lock:
            self._read()
            return {name: self._lead(self._expected(name)) for name in config_names}

    def _expected(self, config_name: str) -> timedelta | None:
        spans = sorted(self._spans.get(config_name, ()))
        return spans[math.ceil(SHARE * len(spans)) - 1] if spans else None

    def _lead(self, expected: timedelta | None) -> timedelta:
        return self._first() if expected is None else expected + self._margin()

    def _read(self) -> None:
        if self._seen < 0:
            events = self._history.latest(EventQuery(kinds=(_KIND,), limit=_AT_FIRST))
            self._seen = 0
        else:
            events = self._history.read(
                EventQuery(kinds=(_KIND,), after=self._seen, limit=_AT_FIRST)
            )
        for event in events:
            self._seen = event.number
            if (start := _start(event)) is not None:
                config_name, span = start
                self._spans[config_name].append(span)


def _start(event: Event) -> tuple[str, timedelta] | None:
    """Return the config and the time of the start that the event tells of, if it does."""
    change = event.data.get(CHANGE)
    if not isinstance(change, dict) or change.get("status_before") != EndpointStatus.CREATING:
        return None
    name, created_at = change.get("config_name"), change.get("created_at")
    if not isinstance(name, str) or not isinstance(created_at, str):
        return None
    return name, event.at - datetime.fromisoformat(created_at)
