"""Why an endpoint does not serve, and what becomes of those who call it meanwhile.

An absence passes where the endpoint is being started, or is asleep and woken by the first who calls.
Its callers choose: to be held until a worker can have their request, to be told where to look
(202), or to be told at once when to ask again (503). All others are told why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.gateway import answers

if TYPE_CHECKING:
    from parkade.apps import link
    from parkade.apps.gateway.fleet import Fleet
    from parkade.apps.gateway.headers import Asked
    from parkade.apps.gateway.invocation import Invocation

#: The reason of an endpoint that will serve by itself.
STARTING = "starting"


class Absence:
    """One look at an endpoint that does not serve."""

    __slots__ = ("_down", "_endpoint", "_fleet", "passes")

    def __init__(self, endpoint: str, down: link.Down, fleet: Fleet) -> None:
        #: Whether who waits will be served.
        self.passes = down.wakes or down.reason == STARTING
        self._down = down
        self._endpoint = endpoint
        self._fleet = fleet
        if not down.wakes:
            fleet.wishes.answered(endpoint)

    def span(self, asked: Asked) -> float:
        """Return for how many seconds a caller is held; 0: it is answered at once."""
        if not self.passes:
            return 0.0
        if asked.wait is not None:
            return self._fleet.holding.bounded(asked.wait)
        return 0.0 if asked.respond_async else self._fleet.holding.bounded(self._down.hold)

    def receive(self, invocation: Invocation) -> bool:
        """Hold one that comes now, or answer it; tell whether it is held."""
        self._wish()
        span = self.span(invocation.asked)
        if span:
            return hold(invocation, self._fleet, span)
        invocation.refuse(self.answer(invocation.asked))
        return False

    def keep(self, invocation: Invocation) -> bool:
        """Let one wait that was admitted before, or answer it; tell whether it waits.

        Nobody who was admitted is turned away for want of a place: those wait for as long as a model
        may take.
        """
        if not self.passes:
            invocation.refuse(self.answer(invocation.asked))
            return False
        self._wish()
        span = self.span(invocation.asked)
        if span and not (
            invocation.held or invocation.lack_of_room() or self._fleet.holding.lack_of_places()
        ):
            invocation.be_held(span)
        return True

    def answer(self, asked: Asked) -> answers.Answer:
        """Return what a caller is told who is not held, or is no longer."""
        now = self._fleet.wall()
        if self.passes and asked.respond_async:
            return answers.under_way(self._down, self._endpoint, now)
        return answers.down(self._down, self._endpoint, now, passes=self.passes)

    def _wish(self) -> None:
        if self._down.wakes:
            self._fleet.wishes.ask(self._endpoint)


def hold(invocation: Invocation, fleet: Fleet, seconds: float) -> bool:
    """Hold the invocation for so long, or answer that nobody more can be; tell which."""
    lack = invocation.lack_of_room() or fleet.holding.lack_of_places()
    if lack is not None:
        invocation.refuse(lack)
        return False
    invocation.be_held(fleet.holding.bounded(seconds))
    return True


class Nowhere:
    """The absence of an endpoint that there is none of: it has one answer for everybody."""

    __slots__ = ("_answer",)

    passes = False

    def __init__(self, answer: answers.Answer) -> None:
        self._answer = answer

    def span(self, _asked: Asked) -> float:
        """Return 0: nobody is held."""
        return 0.0

    def receive(self, invocation: Invocation) -> bool:
        """Answer."""
        invocation.refuse(self._answer)
        return False

    keep = receive

    def answer(self, _asked: Asked) -> answers.Answer:
        """Return the answer."""
        return self._answer
