"""What is left of endpoints that were stopped or deleted: enough to bring the last one back."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003
from typing import TYPE_CHECKING, Protocol

from parkade.domain.blueprint import Blueprint  # noqa: TC001
from parkade.domain.terms import Terms  # noqa: TC001

if TYPE_CHECKING:
    from parkade.ports.catalog import Listing, RecordedEndpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What an endpoint ran when it was told to go, its tags, and the terms of its lease."""

    endpoint_name: str
    created_at: datetime
    removed_at: datetime
    blueprint: Blueprint
    tags: Mapping[str, str] = field(default_factory=dict)
    #: None: they are with the lease still, or there were none.
    terms: Terms | None = None


def remains_of(endpoint: RecordedEndpoint, tags: Mapping[str, str]) -> Remains:
    """Return what is left of an endpoint that is recorded as Deleting."""
    return Remains(
        endpoint_name=endpoint.name,
        created_at=endpoint.created_at,
        removed_at=endpoint.changed_at,
        blueprint=endpoint.blueprint,
        tags=dict(tags),
    )


class RemainsStore(Protocol):
    """Keeps the remains of the last endpoint of each name.

    They are written by the catalog, in the transaction that records an endpoint as Deleting, so
    that whatever stops an endpoint leaves them.
    """

    def get(self, endpoint_name: str) -> Remains | None:
        """Return the remains; None where there are none. Raises Unreadable."""
        ...

    def all(self) -> Listing[Remains]:
        """Return all remains in the order of endpoint names, and why others cannot be read."""
        ...

    def settle(self, endpoint_name: str, *, terms: Terms | None, tags: Mapping[str, str]) -> None:
        """Keep what goes with a lease that is being removed, where there are remains.

        Without tags those stay that the endpoint left.
        """
        ...

    def forget(self, before: datetime) -> None:
        """Forget what was removed before this instant, whether it can be read or not."""
        ...


class RemainsKeeper(Protocol):
    """Takes remains from whoever stops endpoints on a cloud whose catalog is not ours."""

    def put(self, remains: Remains) -> None:
        """Keep these remains, over those of the name."""
        ...
