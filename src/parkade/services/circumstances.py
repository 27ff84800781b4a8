"""The circumstances of a decision, gathered as of one instant.

What is settled about endpoints is read first, for it tells which leases are looked at although
they are closed; what depends on leases and endpoints is read once these are known. Each
collaborator is asked once. Nothing is written here: `parkade plan` gathers them as a sweep
does. What cannot be read is missing from what is returned, or told in it as unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    from parkade.services.maintainer import Maintainer, Recalled


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


class Gathering(Protocol):
    """Circumstances of which a part is known."""

    @property
    def names(self) -> frozenset[str]:
        """The endpoints that something is settled or remembered about."""
        ...

    def about(
        self, now: datetime, shelf: Shelf, endpoints: Mapping[str, ObservedEndpoint]
    ) -> Circumstances:
        """Return them as of `now`; what cannot be read is missing, or told as unknown."""
        ...


class Around(Protocol):
    """Gathers the circumstances of one decision; it never raises for what it cannot read."""

    def begin(self, now: datetime) -> Gathering:
        """Read what is settled about endpoints, before leases and endpoints are read."""
        ...

    def __call__(
        self, now: datetime, shelf: Shelf, endpoints: Mapping[str, ObservedEndpoint]
    ) -> Circumstances:
        """Return them as of `now`; what cannot be read is missing, or told as unknown."""
        ...


class Nothing:
    """No circumstances: neither a gathering nor what gathers finds any."""

    names: frozenset[str] = frozenset()

    def begin(self, now: datetime) -> Nothing:  # noqa: ARG002
        """Return itself."""
        return self

    def __call__(
        self,
        now: datetime,  # noqa: ARG002
        shelf: Shelf,  # noqa: ARG002
        endpoints: Mapping[str, ObservedEndpoint],  # noqa: ARG002
    ) -> Circumstances:
        """Return no circumstances."""
        return Circumstances()

    about = __call__


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
        self.maintainer = maintainer
        self.usage = usage
        self._terms = terms
        self._bookings = bookings
        self.starts = starts
        self.budgets = budgets

    def begin(self, now: datetime) -> Gathered:
        """Read what is settled about endpoints, and remembered of them."""
        settled: Listing[Terms] = self._terms.all() if self._terms else Listing((), {})
        return Gathered(
            surroundings=self,
            settled=settled,
            recalled=self.maintainer.recall(settled) if self.maintainer else None,
            bookings=self._bookings.by_endpoint(now) if self._bookings else {},
            damaged=self._damaged(),
        )

    def __call__(
        self, now: datetime, shelf: Shelf, endpoints: Mapping[str, ObservedEndpoint]
    ) -> Circumstances:
        """Return all that a decision about these leases and endpoints rests on."""
        return self.begin(now).about(now, shelf, endpoints)

    def _damaged(self) -> dict[str, str]:
        """Return what keeps bookings from being paid for; whose they are cannot be read."""
        why = self._bookings.damaged() if self._bookings else ""
        return {"": why} if why else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What is settled about endpoints, and remembered of them."""

    surroundings: Surroundings
    settled: Listing[Terms]
    recalled: Recalled | None
    bookings: Mapping[str, Sequence[Booking]]
    damaged: Mapping[str, str]

    @property
    def names(self) -> frozenset[str]:
        """The endpoints that something is settled or remembered about."""
        settled = {each.endpoint_name for each in self.settled.records}
        known = settled | self.settled.unreadable.keys() | self.bookings.keys()
        return frozenset(known) | (self.recalled.names if self.recalled else frozenset())

    def about(
        self, now: datetime, shelf: Shelf, endpoints: Mapping[str, ObservedEndpoint]
    ) -> Circumstances:
        """Return all that a decision about these leases and endpoints rests on."""
        known = self.surroundings
        terms = {each.endpoint_name: each for each in self.settled.records}
        look = (
            known.maintainer.look(self.recalled, shelf, endpoints)
            if known.maintainer and self.recalled
            else None
        )
        kept = {name for name, each in terms.items() if each.keep or each.sleep}
        # What was marked as asleep, and has not followed yet, is looked at again.
        kept |= {lease.endpoint_name for lease in shelf.leases if lease.asleep_at is not None}
        wanted = kept | (look.asked.keys() if look else set())
        uses = known.usage.uses(sorted(wanted & serving(endpoints)), now) if known.usage else {}
        watches, changes = (
            known.maintainer.follow(now, look, shelf, endpoints, uses)
            if known.maintainer and look
            else ({}, ())
        )
        configs = {lease.config_name for lease in shelf.leases if lease.endpoint_name in terms}
        configs |= {each.config_name for booked in self.bookings.values() for each in booked}
        return Circumstances(
            uses=uses,
            watches=watches,
            terms=terms,
            bookings=self.bookings,
            leads=known.starts.leads(sorted(configs)) if known.starts else {},
            overspent=known.budgets.overspent(now, shelf) if known.budgets else {},
            unusable={**(look.unusable if look else {}), **self.damaged},
            changes=changes,
        )
