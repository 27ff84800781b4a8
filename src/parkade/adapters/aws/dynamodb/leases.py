"""The lease book: one item a lease, written on condition that it is still what was read.

    pk      sk       content            due      expires_at
    lease   falcon   {"version": 7 ..}  open     2026-03-01T12:30:00.000000+00:00

The condition compares the whole content, so that what is written over is exactly what was found
readable: a lease that was changed, damaged or made again meanwhile is left as it is. A lease that
is closed loses `due`, and with it its place in the index that sweeps read.

Coins are void once the lease that they paid for is gone, by its `created_at`; they are removed with
it, and by DynamoDB itself after `COIN_LIFE`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb import purses
from parkade.adapters.aws.dynamodb.changes import Condition, absent, equal
from parkade.adapters.aws.dynamodb.events import LEASE
from parkade.adapters.aws.dynamodb.shape import DUE
from parkade.adapters.aws.dynamodb.table import MOST_CHANGES
from parkade.adapters.documents import columns, leases
from parkade.domain.errors import Conflict, LeaseNotFound, Unreadable, VersionConflict
from parkade.ports.leases import Shelf

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.domain.lease import Lease
    from parkade.ports.budgets import Purse
    from parkade.ports.leases import Coin

_COIN = "coin"
#: The partition of terms, which go with their lease.
TERMS = "terms"
#: The one partition of the index: leases that are not closed.
_OPEN = "open"
#: For how long a coin is known at least; a request is repeated within minutes.
COIN_LIFE = timedelta(days=90)
#: Coins that are removed in the transaction that removes their lease; others follow it.
_AT_ONCE = MOST_CHANGES - 10


class DynamoLeaseBook:
    """The lease book port on the main table."""

    def __init__(self, history: DynamoHistory) -> None:
        self._history = history
        self._table = history.table

    def get(self, endpoint_name: str) -> Lease:
        """Return the lease."""
        item = self._table.get(LEASE, endpoint_name)
        if item is None:
            raise LeaseNotFound(f"no lease has the endpoint name {endpoint_name!r}")
        return _lease(item)

    def all(self) -> Shelf:
        """Return every lease in the order of names, and which items are damaged."""
        return _shelf(self._table.query(LEASE))

    def due(self, names: Collection[str]) -> Shelf:
        """Return the leases that are not closed, as the index has them, and those of these names."""
        asked = {item["sk"]: item for item in self._of(names)}
        opened = {item["sk"]: item for item in self._table.query(_OPEN, index=DUE)}
        # What was read by its key is newer than the index.
        return _shelf(item for _, item in sorted({**opened, **asked}.items()))

    def of(self, names: Collection[str]) -> Shelf:
        """Return the leases of these endpoints."""
        return _shelf(sorted(self._of(names), key=lambda item: str(item["sk"])))

    def put(
        self, lease: Lease, event: Event, *, coin: Coin | None = None, purse: Purse | None = None
    ) -> Lease:
        """Store lease, event, coin and purse in one transaction, unless another write came first."""
        stored = replace(lease, version=lease.version + 1)
        changes = [self._write(lease, stored)]
        if coin is not None:
            changes.append(self._spend(coin, stored, event))
        if purse is not None:
            changes.append(purses.spend(self._table, purse))
        self._history.store(changes, replace(event, owner=event.owner or lease.owner))
        return stored

    def remove(self, lease: Lease, event: Event) -> None:
        """Remove the lease, unless another write came first; its terms and coins go with it."""
        item = self._held(lease)
        if item is None:
            raise _lost(lease.endpoint_name)
        coins = [
            self._table.change.delete((_COIN, each["sk"]))
            for each in self._table.query(_COIN, begins=_place(lease.endpoint_name))
        ]
        gone = self._table.change.delete(
            (LEASE, lease.endpoint_name), where=equal(content=item["content"]), lost=_in_the_way
        )
        settled = self._table.change.delete((TERMS, lease.endpoint_name))
        self._history.store(
            [gone, settled, *coins[:_AT_ONCE]], replace(event, owner=event.owner or lease.owner)
        )
        for at in range(_AT_ONCE, len(coins), MOST_CHANGES):
            self._table.write(coins[at : at + MOST_CHANGES])

    def spent(self, coin: Coin) -> Lease | None:
        """Return the lease as this coin's change left it."""
        item = self._table.get(_COIN, _key(coin))
        if item is None or self._void(item, coin.endpoint_name):
            return None
        with columns.reading(f"Idempotency-Key {coin.key!r} of {coin.endpoint_name!r}"):
            if columns.read_text(item, "request") != coin.request:
                raise Conflict(
                    f"Idempotency-Key {coin.key!r} was used for another request on "
                    f"{coin.endpoint_name!r}",
                    hint="use a new key for a new request",
                )
            return leases.fields(columns.read_object(item, "content"))

    def _of(self, names: Collection[str]) -> Iterable[Item]:
        return self._table.many((LEASE, name) for name in names)

    def _write(self, lease: Lease, stored: Lease) -> Change:
        content = json.dumps(leases.written(stored))
        expires_at = columns.instant(stored.expires_at)
        item = None if lease.version == 0 else self._held(lease)
        if item is None and lease.version != 0:
            raise _lost(lease.endpoint_name)
        return self._table.change.put(
            (LEASE, lease.endpoint_name),
            {
                "content": content,
                DUE.partition: _OPEN if stored.ended is None else None,
                DUE.sort: expires_at if stored.ended is None else None,
            },
            where=equal(content=item["content"]) if item else absent(self._table.shape.partition),
            lost=_in_the_way,
        )

    def _held(self, lease: Lease) -> Item | None:
        """Return the item of this very lease; None: it is not there, or is another version of it.

        Raises Unreadable where a damaged one would be written over: a person has to see it.
        """
        item = self._table.get(LEASE, lease.endpoint_name)
        if item is None:
            return None
        held = _lease(item)
        same = (held.version, held.created_at) == (lease.version, lease.created_at)
        return item if same else None

    def _spend(self, coin: Coin, stored: Lease, event: Event) -> Change:
        made = columns.instant(stored.created_at)
        return self._table.change.put(
            (_COIN, _key(coin)),
            {
                "request": coin.request,
                "content": json.dumps(leases.written(stored)),
                "made": made,
                "goes_at": int((event.at + COIN_LIFE).timestamp()),
            },
            where=Condition(
                "attribute_not_exists(#made) OR #made <> :made", {"#made": "made"}, {":made": made}
            ),
            lost=lambda _: _lost(coin.endpoint_name),
        )

    def _void(self, coin: Item, endpoint_name: str) -> bool:
        """Tell whether the lease that a coin paid for is gone; of a damaged one it is not known."""
        item = self._table.get(LEASE, endpoint_name)
        if item is None:
            return True
        try:
            return columns.instant(_lease(item).created_at) != coin.get("made")
        except Unreadable:
            return False


def _lease(item: Item) -> Lease:
    name = str(item["sk"])
    with columns.reading(f"the lease of {name!r}"):
        return _fields(item)


def _fields(item: Item) -> Lease:
    lease = leases.fields(columns.read_object(item, "content"))
    if lease.endpoint_name != item["sk"]:
        raise Unreadable(f"its endpoint_name {lease.endpoint_name!r} is another one")
    return lease


def _shelf(items: Iterable[Item]) -> Shelf:
    readable: list[Lease] = []
    unreadable: dict[str, str] = {}
    for item in items:
        try:
            readable.append(_fields(item))
        except Unreadable as error:
            unreadable[str(item["sk"])] = error.message
        except KeyError as error:
            unreadable[str(item["sk"])] = f"it has no {error}"
    return Shelf(tuple(readable), unreadable)


def _in_the_way(item: Item | None) -> ParkadeError:
    """Return what keeps a lease from being written: another write, or that it was damaged."""
    try:
        name = _lease(item).endpoint_name if item else "it"
    except Unreadable as error:
        return error
    return _lost(name)


def _lost(endpoint_name: str) -> VersionConflict:
    return VersionConflict(
        f"the lease of {endpoint_name!r} was changed by somebody else",
        hint="read it again, then decide again",
    )


def _place(endpoint_name: str) -> str:
    """Return how the keys of an endpoint's coins begin."""
    return f"{endpoint_name}#"


def _key(coin: Coin) -> str:
    # Neither a token's name nor a key says where it ends.
    names: Sequence[str] = (coin.scope, coin.key)
    return _place(coin.endpoint_name) + json.dumps(names, ensure_ascii=False)
