"""Who carries out what a sweep has decided: one after another, or several at a time.

What is done for one endpoint keeps its order; endpoints have nothing to do with each other, and what
they share (an owner's purse, the history) is written by compare-and-set, or appended to.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.domain.actions import Action

#: Does each of the actions, which never raises, and returns those that it did not begin: nothing of
#: an endpoint's, or all.
Crew: TypeAlias = "Callable[[Sequence[Action], Callable[[Action], None]], Sequence[Action]]"


def alone(actions: Sequence[Action], do: Callable[[Action], None]) -> Sequence[Action]:
    """Do them all, one after another."""
    for action in actions:
        do(action)
    return ()


class Several:
    """Does so many endpoints' actions at a time, and begins none any more once it is late.

    Endpoints are begun in the order of their names, so that those that are left follow all others.
    """

    def __init__(self, hands: int, late: Callable[[], bool]) -> None:
        """`late` is asked before each endpoint, on the thread that would begin it."""
        self._hands = hands
        self._late = late

    def __call__(self, actions: Sequence[Action], do: Callable[[Action], None]) -> Sequence[Action]:
        """Do them; return those that were not begun."""
        ordered = sorted(actions, key=_endpoint)  # stable: an endpoint's keep their order
        groups = [tuple(group) for _, group in groupby(ordered, key=_endpoint)]
        with ThreadPoolExecutor(self._hands, thread_name_prefix="sweep") as pool:
            begun = list(pool.map(lambda group: self._do(group, do), groups))
        first = begun.index(False) if False in begun else len(groups)
        # Threads may pass each other at that instant: what is done twice is harmless.
        return [each for group in groups[first:] for each in group]

    def _do(self, group: Sequence[Action], do: Callable[[Action], None]) -> bool:
        if self._late():
            return False
        for action in group:
            do(action)
        return True


def _endpoint(action: Action) -> str:
    return action.endpoint_name
