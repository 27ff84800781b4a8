"""What a sweep decides on: the leases that are due, the endpoints, and what is around them.

    what is settled about endpoints  ->  leases that are due  ->  endpoints  ->  the plan
    (terms, bookings, watches, tags)     not closed, or of        all
                                         one of these names

A closed lease whose endpoint is gone, and about which nothing is settled, is not looked at: the
plan would find nothing to do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from parkade.domain.plan import plan
from parkade.ports.leases import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.domain.actions import Plan
    from parkade.domain.circumstances import Circumstances
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.lease import LeaseRules
    from parkade.ports.clock import Clock
    from parkade.ports.leases import LeaseBook
    from parkade.services.circumstances import Around


class Decision(NamedTuple):
    """A plan, and what it was made on."""

    plan: Plan
    around: Circumstances
    endpoints: Mapping[str, ObservedEndpoint]


class Deciding:
    """Decides for the whole book; changes nothing."""

    def __init__(
        self,
        book: LeaseBook,
        around: Around,
        *,
        clock: Clock,
        rules: Callable[[], LeaseRules],
    ) -> None:
        self._book = book
        self._around = around
        self._clock = clock
        self._rules = rules

    def decide(
        self, watch: Callable[[], Mapping[str, ObservedEndpoint]], *, whole: bool = False
    ) -> Decision:
        """Return what a sweep would do now; `watch` looks at the endpoints.

        The `whole` book is for people: they are told of leases as well that nothing is to be done for.
        """
        gathered = self._around.begin(self._clock.now())
        # Leases before endpoints: where both change meanwhile, the lease was overtaken, which the
        # book tells, and its endpoint is not one that nobody seems to pay for.
        shelf = self._book.all() if whole else self._book.due(gathered.names)
        endpoints = watch()
        shelf, late = self._completed(shelf, endpoints)
        now = self._clock.now()
        around = gathered.about(now, shelf, endpoints)
        decided = plan(
            now,
            shelf.leases,
            endpoints,
            self._rules(),
            unreadable=shelf.unreadable,
            around=around,
        )
        return _without(late, Decision(decided, around, endpoints))

    def _completed(
        self, shelf: Shelf, endpoints: Mapping[str, ObservedEndpoint]
    ) -> tuple[Shelf, frozenset[str]]:
        """Return the shelf with the other leases that there are of endpoints that were seen.

        These are closed, and their endpoint is still there. The names of those that have been
        opened since are returned as well: they are newer than what was seen of their endpoints.
        """
        known = {lease.endpoint_name for lease in shelf.leases} | shelf.unreadable.keys()
        missing = endpoints.keys() - known
        if not missing:
            return shelf, frozenset()
        found = self._book.of(missing)
        late = frozenset(each.endpoint_name for each in found.leases if each.ended is None)
        return (
            Shelf((*shelf.leases, *found.leases), {**shelf.unreadable, **found.unreadable}),
            late,
        )


def _without(late: frozenset[str], decision: Decision) -> Decision:
    """Return the decision without these endpoints: the next sweep decides on them."""
    if not late:
        return decision
    actions = tuple(each for each in decision.plan.actions if each.endpoint_name not in late)
    changes = tuple(each for each in decision.around.changes if each.endpoint_name not in late)
    return decision._replace(
        plan=replace(decision.plan, actions=actions),
        around=replace(decision.around, changes=changes),
    )
