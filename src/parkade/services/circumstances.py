"""The circumstances of a decision, gathered as of one instant.

Each collaborator is asked once. Nothing is written here: `parkade plan` gathers them as a sweep
does. What cannot be read is missing from what is returned, or told in it as unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from parkade.domain.circumstances import Circumstances
from parkade.ports.catalog import Listing
from parkade.services.maintainer import serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from parkade.domain.budget import Overspent
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.terms import Booking, Terms
    from parkade.ports.leases import Shelf
    from parkade.ports.usage import Usage
    from parkade.services.maintainer import Maintainer


class TermsSource(Protocol):
    """Where terms are read."""

    def all(self) -> Listing[Terms]:
        """Return all terms, and why others cannot be read."""
        ...


class BookingSource(Protocol):
    """Where bookings are read."""

    def by_endpoint(self, now: datetime) -> Mapping[str, Sequence[Booking]]:
        """Return the bookings that are not over."""
        ...

    def damaged(self) -> str:
        """Say which bookings cannot be read, and why; empty: all can."""
        ...


class StartTimes(Protocol):
    """Knows how long endpoints take to start."""

    def leads(self, config_names: Iterable[str]) -> Mapping[str, timedelta]:
        """Return how long before it is wanted an endpoint of each config is started."""
        ...


class BudgetSource(Protocol):
    """Knows who has spent what."""

    def overspent(self, now: datetime, shelf: Shelf) -> Mapping[str, Overspent]:
        """Return the owners whose budget is used up."""
        ...


class Around(Protocol):
    """Gathers the circumstances of one decision; it never raises for what it cannot read."""

    def __call__(
        self, now: datetime, shelf: Shelf, endpoints: Mapping[str, ObservedEndpoint]
    ) -> Circumstances:
        """Return them as of `now`; what cannot be read is missing, or told as unknown."""
        ...


def nothing_around(
    now: datetime,  # noqa: ARG001
    shelf: Shelf,  # noqa: ARG001
    endpoints: Mapping[str, ObservedEndpoint],  # noqa: ARG001
) -> Circumstances:
    """Return no circumstances."""
    return Circumstances()


class Surroundings:
    """Gathers the circumstances; a collaborator that is None has nothing to say."""

    def __init__(
        self,
        *,
        maintainer: Maintainer | None = None,
        usage: Usage | None = None,
        terms: TermsSource | None = None,
        bookings: BookingSource | None = None,
        starts: StartTimes | None = None,
        budgets: BudgetSource | None = None,
    ) -> None:
        self._maintainer = maintainer
        self._usage = usage
        self._terms = terms
        self._bookings = bookings
        self._starts = starts
        self._budgets = budgets

    def __call__(
        self, now: datetime, shelf: Shelf, endpoints: Mapping[str, ObservedEndpoint]
    ) -> Circumstances:
        """Return all that a decision about these leases and endpoints rests on."""
        settled: Listing[Terms] = self._terms.all() if self._terms else Listing((), {})
        terms = {each.endpoint_name: each for each in settled.records}
        look = self._maintainer.look(shelf, endpoints, settled) if self._maintainer else None
        kept = {name for name, each in terms.items() if each.keep or each.sleep}
        # What was marked as asleep, and has not followed yet, is looked at again.
        kept |= {lease.endpoint_name for lease in shelf.leases if lease.asleep_at is not None}
        wanted = kept | (look.asked.keys() if look else set())
        uses = self._usage.uses(sorted(wanted & serving(endpoints)), now) if self._usage else {}
        watches, changes = (
            self._maintainer.follow(now, look, shelf, endpoints, uses)
            if self._maintainer and look
            else ({}, ())
        )
        bookings = self._bookings.by_endpoint(now) if self._bookings else {}
        configs = {lease.config_name for lease in shelf.leases if lease.endpoint_name in terms}
        configs |= {each.config_name for booked in bookings.values() for each in booked}
        return Circumstances(
            uses=uses,
            watches=watches,
            terms=terms,
            bookings=bookings,
            leads=self._starts.leads(sorted(configs)) if self._starts else {},
            overspent=self._budgets.overspent(now, shelf) if self._budgets else {},
            unusable={**(look.unusable if look else {}), **self._damaged()},
            changes=changes,
        )

    def _damaged(self) -> dict[str, str]:
        """Return what keeps bookings from being paid for; whose they are cannot be read."""
        why = self._bookings.damaged() if self._bookings else ""
        return {"": why} if why else {}
