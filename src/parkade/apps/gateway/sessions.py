"""Stateful sessions: which instance holds which.

The model opens a session and tells its id and end; from then on requests with the id go to the
instance that answered. An id that is not known here (another gateway saw it opened, or this one
has begun anew) leads to one and the same instance as long as it is there.
"""

from __future__ import annotations

import calendar
import logging
import re
import time
from typing import TYPE_CHECKING, NamedTuple

from parkade.apps.gateway.upstream import CLOSED_SESSION, NEW_SESSION
from parkade.domain.assignment import rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from parkade.apps.gateway.instances import Instance
    from parkade.apps.gateway.variants import Variant

#: Sessions of one endpoint that are known at a time; beyond, the oldest is forgotten.
LIMIT = 10_000
_OPENED = re.compile(r"([a-zA-Z0-9](?:-*[a-zA-Z0-9])*);\s*Expires=(\S+)")
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"

logger = logging.getLogger(__name__)


class Pin(NamedTuple):
    """Where a session is."""

    variant: Variant
    instance: Instance


class Sessions:
    """The open sessions of one endpoint. `wall` gives real time in seconds of the epoch."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._pins: dict[str, tuple[Pin, float]] = {}

    def heed(self, lines: Sequence[bytes], variant: Variant, instance: Instance | None) -> None:
        """Take up what a model that the instance runs told of sessions in its headers."""
        for start, value in zip(lines[::3], lines[1::3], strict=True):
            if start == NEW_SESSION and instance is not None:
                self._open(value.decode("latin-1"), Pin(variant, instance))
            elif start == CLOSED_SESSION:
                self.close(value.decode("latin-1"))

    def close(self, session: str) -> None:
        """Forget a session that the model closed."""
        self._pins.pop(session, None)

    def find(self, session: str) -> Pin | None:
        """Return where the session is; None: it is not known, or over."""
        pin, ends = self._pins.get(session, (None, 0.0))
        if pin is not None and self._wall() >= ends:
            del self._pins[session]
            return None
        return pin

    def _open(self, told: str, pin: Pin) -> None:
        try:
            session, ends = _parsed(told)
        except ValueError:
            logger.warning("a model opened a session in words that are none: %r", told[:300])
            return
        if len(self._pins) >= LIMIT:
            del self._pins[next(iter(self._pins))]
        self._pins[session] = (pin, ends)


def steady(session: str, variants: Iterable[Variant]) -> Pin | None:
    """Return the place of an unknown session: the same one each time, shared by weight."""
    variant = max(
        (each for each in variants if each.open),
        key=lambda each: rank(session, _name(each), (each.weight or 1.0) * each.share),
        default=None,
    )
    if variant is None:
        return None
    return Pin(variant, max(variant.open, key=lambda each: rank(session, each.id, 1.0)))


def _name(variant: Variant) -> str:
    """Return what tells the variant from its namesake of another generation, where there is one."""
    return f"{variant.name}/{variant.generation}" if variant.rises else variant.name


def _parsed(told: str) -> tuple[str, float]:
    """Return id and end of a session, of `<id>; Expires=<instant>`. Raises ValueError."""
    match = _OPENED.fullmatch(told)
    if match is None:
        raise ValueError(told)
    return match[1], calendar.timegm(time.strptime(match[2], _INSTANT))
