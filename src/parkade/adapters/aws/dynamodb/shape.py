"""What the tables look like: the one description, for the stores, for the stacks, for tests.

    main table    pk (kind)      sk (key)             everything but tokens
                  "lease"        endpoint name        due="open", expires_at  -> index `due`
                  "event"        number, padded       endpoint="event#NAME"   -> index `by_endpoint`
                  "coin"         endpoint, key ...    goes_at                 -> removed in time
    token table   digest                              one read for an authorizer

Both indexes are sparse: an item is in one only where it has the attributes. Their items are whole
copies, so that a sweep reads nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Index:
    """A second order of the items of a table."""

    name: str
    partition: str
    sort: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The keys of a table, all of them texts, and its indexes."""

    partition: str
    sort: str | None = None
    indexes: tuple[Index, ...] = ()
    #: The attribute that tells when DynamoDB may remove an item, in seconds since the epoch.
    goes_at: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The names of the attributes that tell items apart."""
        return (self.partition, self.sort) if self.sort else (self.partition,)

    def description(self) -> dict[str, Any]:
        """Return the shape as `CreateTable` and CloudFormation spell it."""
        keyed = {
            *self.key,
            *(name for each in self.indexes for name in (each.partition, each.sort)),
        }
        described: dict[str, Any] = {
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in sorted(keyed)
            ],
            "KeySchema": _schema(self.partition, self.sort),
            "BillingMode": "PAY_PER_REQUEST",
        }
        if self.indexes:
            described["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": each.name,
                    "KeySchema": _schema(each.partition, each.sort),
                    "Projection": {"ProjectionType": "ALL"},
                }
                for each in self.indexes
            ]
        return described


def _schema(partition: str, sort: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": partition, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": sort, "KeyType": "RANGE"}] if sort else keys


#: Leases that the meter may have to act for, by their expiry.
DUE = Index("due", partition="due", sort="expires_at")
#: Whatever is about one endpoint, in the order of its keys; the partition is `kind#endpoint name`.
BY_ENDPOINT = Index("by_endpoint", partition="endpoint", sort="sk")

#: Everything but tokens.
MAIN = Shape(partition="pk", sort="sk", indexes=(DUE, BY_ENDPOINT), goes_at="goes_at")
#: Tokens by their digest.
TOKENS = Shape(partition="digest")


def about(kind: str, endpoint_name: str) -> str:
    """Return the partition of `BY_ENDPOINT` that what is about an endpoint is in."""
    return f"{kind}#{endpoint_name}"
