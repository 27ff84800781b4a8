"""What one transaction changes, and on which conditions.

    history.store([table.put(("lease", "falcon"), {...}, where=absent(), lost=...)], event)

A change whose condition does not hold takes the whole transaction with it, and `lost` says what is
raised then; it is given the item that stood in the way, if there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.dynamodb.attributes import Attribute, Item, encoded, spelt
from parkade.domain.errors import VersionConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from parkade.domain.errors import ParkadeError


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition or a filter: an expression with `#name` and `:value` in it."""

    text: str
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Attribute] = field(default_factory=dict)

    def __and__(self, other: Condition) -> Condition:
        """Return the condition that both hold; they must not give one name two meanings."""
        return Condition(
            f"({self.text}) AND ({other.text})",
            {**self.names, **other.names},
            {**self.values, **other.values},
        )

    def spelt(self, member: str) -> dict[str, Any]:
        """Return the members of a request; `member` takes the expression."""
        request: dict[str, Any] = {member: self.text}
        if self.names:
            request["ExpressionAttributeNames"] = dict(self.names)
        if self.values:
            request["ExpressionAttributeValues"] = encoded(self.values)
        return request


def absent(attribute: str) -> Condition:
    """Hold where there is no such attribute; of an attribute of the key: where there is no item."""
    return Condition("attribute_not_exists(#absent)", {"#absent": attribute})


def present(attribute: str) -> Condition:
    """Hold where there is such an attribute; of an attribute of the key: where there is an item."""
    return Condition("attribute_exists(#present)", {"#present": attribute})


def equal(**attributes: Attribute) -> Condition:
    """Hold where the item has these attributes with these values."""
    return Condition(
        " AND ".join(f"#{name} = :{name}" for name in attributes),
        {f"#{name}": name for name in attributes},
        {f":{name}": value for name, value in attributes.items()},
    )


def overtaken(item: Item | None) -> ParkadeError:  # noqa: ARG001  whatever it was
    """Say that another write came first."""
    return VersionConflict(
        "it was changed by somebody else meanwhile", hint="read it again, then decide again"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One of the changes of a transaction, and what is raised where its condition does not hold."""

    operation: str
    request: Mapping[str, Any]
    where: Condition | None
    lost: Callable[[Item | None], ParkadeError] = overtaken

    def spelt(self) -> dict[str, Any]:
        """Return the change as a transaction takes it."""
        request = dict(self.request)
        if self.where is not None:
            condition = self.where.spelt("ConditionExpression")
            for member, value in condition.items():
                request[member] = {**request[member], **value} if member in request else value
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return {self.operation: request}


@dataclass(frozen=True, slots=True)
class Changes:
    """Makes the changes of one table; `key` names the attributes of its key."""

    table: str
    key: Sequence[str]

    def put(
        self,
        key: Sequence[str],
        attributes: Mapping[str, Attribute | None],
        *,
        where: Condition | None = None,
        lost: Callable[[Item | None], ParkadeError] = overtaken,
    ) -> Change:
        """Store the item in place of what has its key; attributes that are None are left out."""
        item = {**self.keyed(key), **encoded(attributes)}
        request = {"TableName": self.table, "Item": item}
        return Change(operation="Put", request=request, where=where, lost=lost)

    def delete(
        self,
        key: Sequence[str],
        *,
        where: Condition | None = None,
        lost: Callable[[Item | None], ParkadeError] = overtaken,
    ) -> Change:
        """Remove the item; without a condition it need not be there."""
        request = {"TableName": self.table, "Key": self.keyed(key)}
        return Change(operation="Delete", request=request, where=where, lost=lost)

    def check(
        self,
        key: Sequence[str],
        where: Condition,
        *,
        lost: Callable[[Item | None], ParkadeError] = overtaken,
    ) -> Change:
        """Have the transaction depend on an item that it leaves as it is."""
        request = {"TableName": self.table, "Key": self.keyed(key)}
        return Change(operation="ConditionCheck", request=request, where=where, lost=lost)

    def add(
        self,
        key: Sequence[str],
        attribute: str,
        amount: int,
        *,
        where: Condition | None = None,
        lost: Callable[[Item | None], ParkadeError] = overtaken,
    ) -> Change:
        """Add to a number of the item; where there is none, it is made and begins at 0."""
        request = {
            "TableName": self.table,
            "Key": self.keyed(key),
            "UpdateExpression": "ADD #added :added",
            "ExpressionAttributeNames": {"#added": attribute},
            "ExpressionAttributeValues": {":added": spelt(amount)},
        }
        return Change(operation="Update", request=request, where=where, lost=lost)

    def keyed(self, key: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return a key as DynamoDB spells it."""
        return encoded(dict(zip(self.key, key, strict=True)))
