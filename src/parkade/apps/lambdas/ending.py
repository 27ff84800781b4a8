"""`ending`: ends all leases and deletes their endpoints when the stack of the meter goes.

What the meter has started must not go on running without it. An endpoint that is being created or
updated cannot be deleted; it is waited for, in another call where this one has no time left. What is
left in the end fails the deletion of the stack, which says what: deleting it again goes on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.apps.lambdas.customresource import DELETE, Asked, Made, NotYetError, answered, resource
from parkade.apps.lambdas.sweeping import Lateness, crew
from parkade.domain.actions import ActionKind
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import Conflict, LeaseNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.actions import Action
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook
    from parkade.services.meter import Meter
    from parkade.services.sweep import Sweep

logger = logging.getLogger(__name__)

ACTOR = "stack"
_ID = "all-leases"
#: Between two looks at what cannot be deleted yet.
_PAUSE = timedelta(seconds=15)
#: Kept of the function's time, to tell CloudFormation.
_RESERVE = timedelta(seconds=45)
#: So many names are told.
_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What ending works with."""

    meter: Meter
    book: LeaseBook
    hosting: Hosting
    sweep: Sweep
    pause: Callable[[timedelta], None]
    #: Has this function called again, asynchronously, with this event.
    again: Callable[[Mapping[str, Any]], None]


class Ending:
    """Answers CloudFormation."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def __call__(self, event: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """Do nothing when the stack is made or changed; end all when it goes."""

        def act(asked: Asked) -> Made:
            # A stack that could not be made has no leases; one that could not be changed keeps them.
            if asked.request == DELETE and not asked.unmade:
                self._end(Lateness(call.left, _RESERVE))
            return Made(id=_ID)

        return answered(event, act, self._means.again)

    def _end(self, late: Lateness) -> None:
        """End all leases, and wait until their endpoints go.

        Raises Conflict for leases that cannot be read, and NotYetError where endpoints take long.
        """
        while True:
            shelf = self._means.book.all()
            names = frozenset(lease.endpoint_name for lease in shelf.leases)
            for name in sorted(names):
                self._stop(name)
            self._means.sweep.run(concerns=names.__contains__, crew=_Stopping(late))
            left = self._running(names)
            if not left and not shelf.unreadable:
                return
            if not left:
                raise _stuck(left, shelf.unreadable)
            if late():
                raise NotYetError from _stuck(left, shelf.unreadable)
            logger.info("waiting for %s", ", ".join(left))
            self._means.pause(_PAUSE)

    def _stop(self, name: str) -> None:
        try:
            self._means.meter.stop(name, actor=ACTOR)
        except LeaseNotFound:
            logger.info("the lease of %s was removed meanwhile", name)

    def _running(self, names: frozenset[str]) -> list[str]:
        """Return the endpoints of these names that neither went nor are going, with their status."""
        return [
            f"{name} ({seen.status})"
            for name, seen in sorted(self._means.hosting.endpoints().items())
            if name in names and seen.status is not EndpointStatus.DELETING
        ]


class _Stopping:
    """Carries out what stops something, and nothing else: what is due is not bought any more."""

    def __init__(self, late: Callable[[], bool]) -> None:
        self._crew = crew(late)

    def __call__(self, actions: Sequence[Action], do: Callable[[Action], None]) -> Sequence[Action]:
        return self._crew([each for each in actions if each.kind is ActionKind.STOP], do)


def _stuck(left: Sequence[str], unreadable: Mapping[str, str]) -> Conflict:
    parts = []
    if left:
        parts.append(f"these endpoints could not be deleted: {_named(left)}")
    if unreadable:
        parts.append(f"these leases cannot be read, and were left alone: {_named(unreadable)}")
    return Conflict(
        "; ".join(parts),
        hint="delete the stack again once they can be; items that cannot be read are to be removed "
        "from the table, and their endpoints looked after, by hand",
    )


def _named(names: Sequence[str] | Mapping[str, str]) -> str:
    told = list(names)
    more = len(told) - _NAMED
    return ", ".join(told[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _build(settings: FunctionSettings) -> Ending:
    from parkade.apps.lambdas.meterwork import Ground, Work, pause  # noqa: PLC0415  at the first call

    work = Work(Ground.of(settings))
    return Ending(
        Means(
            meter=work.meter,
            book=work.book,
            hosting=work.hosting,
            sweep=work.sweep,
            pause=pause,
            again=work.again,
        )
    )


handler = resource(_build)
