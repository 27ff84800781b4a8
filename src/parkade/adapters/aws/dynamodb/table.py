"""A table: read by key, by partition and by index; written in transactions alone.

Reads see every write that was answered before, unless an index is read: an index follows within
a moment, so that whoever acts on what it says writes on condition of what was read.

Two transactions on one item at once are not queued by DynamoDB: one is refused. That is no lost
race, for its conditions may still hold; so it is tried again here, a few times, and logged.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from parkade.adapters.aws.dynamodb.attempts import contended
from parkade.adapters.aws.dynamodb.attributes import decoded, encoded
from parkade.adapters.aws.dynamodb.changes import Changes, equal
from parkade.adapters.aws.refusals import calling, code_of
from parkade.domain.errors import (
    InvalidInput,
    ParkadeError,
    ResourceLimitExceeded,
    Throttled,
    Unavailable,
    VersionConflict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.changes import Change, Condition
    from parkade.adapters.aws.dynamodb.shape import Index, Shape

#: What DynamoDB takes in one transaction, and in one read of many keys.
MOST_CHANGES, _MOST_KEYS = 100, 100
_LATER = timedelta(seconds=5)


class _InTheWay(VersionConflict):
    """Another transaction was under way on one of the items."""


class _LeftOut(Throttled):
    """Some of the keys were not read, for want of capacity."""


class Table:
    """One table. Safe to use from several threads."""

    def __init__(self, account: Account, name: str, shape: Shape) -> None:
        """Take the account that has the table of this name and shape."""
        self.name = name
        self.shape = shape
        #: Makes changes for `write`.
        self.change = Changes(name, shape.key)
        self._account = account
        self._listeners: list[Callable[[], None]] = []

    def get(self, *key: str) -> Item | None:
        """Return the item; None: there is none."""
        if not all(key):
            return None  # DynamoDB refuses empty keys rather than to find nothing
        with self._calling("be read"):
            answer = self._client.get_item(
                TableName=self.name, Key=self.change.keyed(key), ConsistentRead=True
            )
        return decoded(answer["Item"]) if "Item" in answer else None

    def many(self, keys: Iterable[Sequence[str]]) -> Iterator[Item]:
        """Give the items that there are of these keys, in any order; a key may come twice."""
        rest = iter(dict.fromkeys(tuple(key) for key in keys if all(key)))
        while some := list(islice(rest, _MOST_KEYS)):
            yield from self._batch([self.change.keyed(key) for key in some])

    def query(
        self,
        partition: str,
        *,
        index: Index | None = None,
        begins: str = "",
        after: str | None = None,
        between: tuple[str, str] | None = None,
        where: Condition | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Item]:
        """Give the items of a partition in the order of their sort keys, page after page.

        `begins`, `after` and `between` (both ends included) choose by the sort key, one of the
        three; `where` filters what is read then, which costs what it would cost without. Read by an
        index, items may be a moment old.
        """
        first = index.partition if index else self.shape.partition
        second = (index.sort if index else self.shape.sort) or ""
        keyed = equal(**{first: partition}).spelt("KeyConditionExpression")
        if chosen := _chosen(begins, after, between):
            text, values = chosen
            keyed["KeyConditionExpression"] += f" AND {text}"
            keyed["ExpressionAttributeNames"]["#sort"] = second
            keyed["ExpressionAttributeValues"] |= encoded(values)
        request = {**keyed, "ScanIndexForward": not newest_first, "ConsistentRead": not index}
        if index is not None:
            request["IndexName"] = index.name
        if limit is not None and where is None:
            request["Limit"] = max(1, limit)
        found = self._pages("query", _also(request, where))
        yield from found if limit is None else islice(found, max(0, limit))

    def scan(self) -> Iterator[Item]:
        """Give every item, in any order."""
        yield from self._pages("scan", {"ConsistentRead": True})

    def write(self, changes: Sequence[Change]) -> None:
        """Make all the changes, or none of them.

        Raises what the first change says whose condition does not hold, VersionConflict where
        others stay in the way, Throttled, InvalidInput, and what `calling` raises. botocore gives
        each transaction a token of its own, so that one whose answer got lost is not made twice.
        """
        if len(changes) > MOST_CHANGES:
            raise InvalidInput(
                f"{len(changes)} changes are more than the {MOST_CHANGES} of one transaction",
                field="changes",
            )
        for attempt in contended(_InTheWay):
            with attempt:
                self._transact(changes)
        for listener in self._listeners:
            listener()

    def watch(self, listener: Callable[[], None]) -> None:
        """Have it called after every write of this process."""
        self._listeners.append(listener)

    @property
    def _client(self) -> Any:
        return self._account.client("dynamodb")

    def _transact(self, changes: Sequence[Change]) -> None:
        items = [each.spelt() for each in changes]
        with self._calling("be written"):
            try:
                self._client.transact_write_items(TransactItems=items)
            except ClientError as error:
                code = code_of(error)
                if code == "TransactionCanceledException":
                    reasons = error.response.get("CancellationReasons", ())
                    raise self._cancelled(changes, reasons, error) from error
                if code == "TransactionConflictException":
                    raise self._in_the_way() from error
                raise

    def _cancelled(
        self,
        changes: Sequence[Change],
        reasons: Sequence[Mapping[str, Any]],
        error: ClientError,
    ) -> ParkadeError:
        """Return what a cancelled transaction means; a condition that does not hold says most."""
        for change, reason in zip(changes, reasons, strict=False):
            if reason.get("Code") == "ConditionalCheckFailed":
                return change.lost(decoded(reason["Item"]) if reason.get("Item") else None)
        told = {str(each.get("Code")): str(each.get("Message", "")) for each in reasons}
        if "TransactionConflict" in told:
            return self._in_the_way()
        for code in ("ProvisionedThroughputExceeded", "ThrottlingError"):
            if code in told:
                return Throttled(
                    f"the table {self.name!r} cannot be written: {code}: {told[code]}",
                    retry_after=_LATER,
                    hint="DynamoDB throttles it; it is tried again later",
                )
        if "ItemCollectionSizeLimitExceeded" in told:
            return ResourceLimitExceeded(
                f"the table {self.name!r} cannot be written: {told['ItemCollectionSizeLimitExceeded']}"
            )
        if "ValidationError" in told:
            return InvalidInput(
                f"the table {self.name!r} cannot be written: {told['ValidationError']}",
                field="request",
            )
        return Unavailable(
            f"the table {self.name!r} cannot be written: {error}", retry_after=_LATER
        )

    def _in_the_way(self) -> ParkadeError:
        return _InTheWay(
            f"others write the same item of the table {self.name!r} at this moment",
            hint="try again",
        )

    def _batch(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
        left: Mapping[str, Any] = {self.name: {"Keys": list(keys), "ConsistentRead": True}}
        found: list[Item] = []
        for attempt in contended(_LeftOut):
            with attempt:
                with self._calling("be read"):
                    answer = self._client.batch_get_item(RequestItems=left)
                found += map(decoded, answer["Responses"].get(self.name, ()))
                left = answer.get("UnprocessedKeys") or {}
                if left:
                    raise _LeftOut(
                        f"the table {self.name!r} cannot be read: "
                        f"{len(left[self.name]['Keys'])} of {len(keys)} keys were left out",
                        retry_after=_LATER,
                        hint="DynamoDB throttles it; it is tried again later",
                    )
        yield from found

    def _pages(self, operation: str, request: Mapping[str, Any]) -> Iterator[Item]:
        begin: dict[str, Any] = {}
        while True:
            with self._calling("be read"):
                page = getattr(self._client, operation)(TableName=self.name, **request, **begin)
            yield from map(decoded, page["Items"])
            if not page.get("LastEvaluatedKey"):
                return
            begin = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _calling(self, what: str) -> Any:
        return calling(f"the table {self.name!r} cannot {what}", self._meaning)

    def _meaning(self, code: str, text: str) -> ParkadeError | None:
        if code == "ResourceNotFoundException":
            return Unavailable(
                f"there is no table {self.name!r} in {self._account.region}, or it lacks an index: "
                f"{text}",
                retry_after=_LATER,
                hint="deploy the meter: parkade cloud deploy; or name its table in the settings",
            )
        return None


def _chosen(
    begins: str, after: str | None, between: tuple[str, str] | None
) -> tuple[str, dict[str, str]] | None:
    """Return the condition on a sort key, and its values; None: there is none."""
    if between is not None:
        first, last = between
        return "#sort BETWEEN :first AND :last", {":first": first, ":last": last}
    if after is not None:
        return "#sort > :after", {":after": after}
    return ("begins_with(#sort, :begins)", {":begins": begins}) if begins else None


def _also(request: Mapping[str, Any], where: Condition | None) -> dict[str, Any]:
    """Return the request with a filter."""
    merged = dict(request)
    for member, value in (where.spelt("FilterExpression") if where else {}).items():
        merged[member] = {**merged[member], **value} if member in merged else value
    return merged
