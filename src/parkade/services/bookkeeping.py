"""The bookkeeper: writes down, second by second, what the instances of all endpoints cost.

Every instance is metered from its start to its end, on the clock of leases. Until when that is done
is stored together with what was added, so that no second counts twice, and the time for which nobody
kept books is made up for: an instance that is there now, and was started before, ran all the while.

What cannot be stored is kept, and stored later: a full disk loses nothing for as long as the process
lives.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from parkade.domain import cost
from parkade.domain.cost import SERVERLESS, Costs, Instance, Presence, Tally
from parkade.domain.errors import ParkadeError, VersionConflict
from parkade.ports.spend import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import timedelta
    from decimal import Decimal

    from parkade.ports.leases import LeaseBook
    from parkade.ports.spend import SpendStore
    from parkade.services.prices import Prices, Tariff

logger = logging.getLogger(__name__)

_Entry = TypeVar("_Entry", Tally, Presence)
#: The period of what is not told by periods.
_ALWAYS = datetime.min.replace(tzinfo=UTC)
#: Endpoint and variant.
Used: TypeAlias = tuple[str, str]
#: Endpoint, owner, type and price: of instances that cost alike.
_Alike: TypeAlias = "tuple[str, str, str, Decimal | None]"


class Bookkeeper:
    """Meters instances. `note` is for one thread, `store` for another; neither waits for the other.

    `borders` are minutes past an hour, beside 0, at which the period of some budget can begin.
    """

    def __init__(
        self,
        store: SpendStore,
        book: LeaseBook,
        prices: Prices,
        *,
        borders: Callable[[datetime], frozenset[int]],
    ) -> None:
        self._store = store
        self._book = book
        self._prices = prices
        self._borders = borders
        #: Until when all is noted; None: it has not been read yet.
        self._until: datetime | None = None
        #: Until when all is stored, as far as this process knows.
        self._known = Known(None)
        self._read = False
        self._tallies: dict[tuple[object, ...], Tally] = {}
        self._presences: dict[tuple[object, ...], Presence] = {}
        #: Whose lease each endpoint had when that was last known.
        self._owners: dict[str, str] = {}
        #: Used and idle time since this process began.
        self._since: dict[_Alike, tuple[timedelta, timedelta]] = {}
        #: Why nothing can be stored; empty: it can.
        self.trouble = ""

    @property
    def totals(self) -> Mapping[tuple[str, str], Costs]:
        """What was metered since this process began, by endpoint and owner."""
        found: dict[tuple[str, str], Costs] = {}
        for (endpoint_name, owner, kind, hourly), (used, idle) in list(self._since.items()):
            tally = Tally(
                at=_ALWAYS,
                endpoint_name=endpoint_name,
                variant_name="",
                owner=owner,
                instance_type=kind,
                hourly=hourly,
                used=used,
                idle=idle,
            )
            key = (endpoint_name, owner)
            found[key] = found.get(key, Costs()).plus(cost.summed([tally]))
        return found

    def meter(
        self, now: datetime, span: timedelta, instances: Sequence[Instance], used: Collection[Used]
    ) -> None:
        """Write down what passed until `now`, and store it.

        `used` are the variants that were used within the last `span`. Raises nothing that a store
        raises: what cannot be read or stored now is made up for by the next call. Where another
        process has added to the store, what it may have metered as well is noted again from where
        that one has come to.
        """
        try:
            try:
                self._account(now, span, instances, used)
            except VersionConflict:
                self._meet()
                self._account(now, span, instances, used)
        except ParkadeError as error:
            if self.trouble != error.message:
                logger.error("what instances cost is not stored: %s", error.message)  # noqa: TRY400  no bug of ours
            self.trouble = error.message
        else:
            if self.trouble:
                logger.info("what instances cost is stored again")
            self.trouble = ""

    def forget(self, before: datetime) -> None:
        """Forget what is older. Raises what the store raises."""
        self._store.forget(before)

    def _account(
        self, now: datetime, span: timedelta, instances: Sequence[Instance], used: Collection[Used]
    ) -> None:
        self._note(now, span, instances, used)
        self._flush()

    def _note(
        self, now: datetime, span: timedelta, instances: Iterable[Instance], used: Collection[Used]
    ) -> None:
        if not self._read:
            self._until = self._store.until()
            self._known = Known(self._until)
            self._read = True
        owners = self._owners_of(instances)
        tariff = self._prices.tariff()
        borders = self._borders(now)
        begun: dict[str, datetime] = {}

        @cache
        def pieces(start: datetime) -> Sequence[tuple[datetime, datetime, datetime]]:
            # Most instances are metered from the same instant on.
            return tuple(cost.pieces(start, now, borders))

        for each in instances:
            start = max(each.started_at, self._until) if self._until else each.started_at
            if start >= now:
                continue
            name = each.endpoint_name
            begun[name] = min(start, begun.get(name, start))
            busy = now - span if (name, each.variant_name) in used else now
            self._tally(each, owners.get(name, ""), tariff, pieces(start), busy)
        for name, start in begun.items():
            for at, piece, until in pieces(start):
                presence = Presence(
                    at=at, endpoint_name=name, owner=owners.get(name, ""), span=until - piece
                )
                _add(self._presences, presence)
        # A clock that stands still, or an instance that is told late, must not turn it back.
        self._until = max(now, self._until) if self._until else now

    def _tally(
        self,
        instance: Instance,
        owner: str,
        tariff: Tariff,
        pieces: Iterable[tuple[datetime, datetime, datetime]],
        busy: datetime,
    ) -> None:
        """Write down one instance, which was used from `busy` on."""
        name = SERVERLESS if instance.serverless else instance.instance_type
        hourly: Decimal | None = None if instance.serverless else tariff.hourly(name)
        for at, piece, until in pieces:
            used = max(cost.NONE, until - max(piece, busy))
            tally = Tally(
                at=at,
                endpoint_name=instance.endpoint_name,
                variant_name=instance.variant_name,
                owner=owner,
                instance_type=name,
                hourly=hourly,
                used=used,
                idle=until - piece - used,
            )
            _add(self._tallies, tally)
            alike = (tally.endpoint_name, owner, name, hourly)
            before = self._since.get(alike, (cost.NONE, cost.NONE))
            self._since[alike] = (before[0] + used, before[1] + tally.idle)

    def _owners_of(self, instances: Iterable[Instance]) -> Mapping[str, str]:
        """Return whose leases the endpoints have; one that is damaged has the owner it had."""
        names = {each.endpoint_name for each in instances}
        if names:
            shelf = self._book.of(names)
            owners = {lease.endpoint_name: lease.owner for lease in shelf.leases}
            damaged = {name: self._owners.get(name, "") for name in shelf.unreadable}
            self._owners = {**damaged, **owners}
        return self._owners

    def _flush(self) -> None:
        if self._until is None:
            return
        self._store.add(
            self._tallies.values(), self._presences.values(), self._until, since=self._known
        )
        self._known = Known(self._until)
        self._tallies, self._presences = {}, {}

    def _meet(self) -> None:
        """Go on from where the store is, which is not where this process left it."""
        held, left = self._store.until(), self._known.until
        if left is not None and (held is None or held < left):
            # It was replaced by an older one. What is not stored yet is known here alone.
            logger.warning("what was spent is known until %s only; it is gone on with", held)
            self._known = Known(held)
            return
        logger.info("what instances cost was added by somebody else; it is noted again")
        for each in self._tallies.values():
            alike = (each.endpoint_name, each.owner, each.instance_type, each.hourly)
            used, idle = self._since[alike]
            self._since[alike] = (used - each.used, idle - each.idle)
        self._tallies, self._presences = {}, {}
        self._read = False


def _add(entries: dict[tuple[object, ...], _Entry], entry: _Entry) -> None:
    present = entries.get(entry.key)
    entries[entry.key] = entry if present is None else present.plus(entry)
