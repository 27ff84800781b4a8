"""How an endpoint was last seen, remembered until SageMaker says that it has changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  stores read these forms by their annotations
from typing import TYPE_CHECKING, Protocol

from parkade.domain.endpoint import SERVING, EndpointStatus, ObservedEndpoint
from parkade.domain.stages import Rollout  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A variant as it was seen."""

    name: str
    #: Empty where it is serverless, or where its config is gone.
    instance_type: str = ""
    current: int = 0
    desired: int = 0
    weight: float = 1.0
    serverless: bool = False
    #: Whether inference components are what runs on it.
    hosts: bool = False
    #: Whether it gets copies of requests, and answers nobody.
    shadow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """An endpoint as it was seen last."""

    name: str
    status: EndpointStatus
    created_at: datetime
    #: SageMaker's LastModifiedTime.
    changed_at: datetime
    #: Whether it was described; else only what ListEndpoints tells is known.
    whole: bool = True
    #: Whether it was begun here, and SageMaker has not listed it yet.
    begun: bool = False
    config_name: str = ""
    parts: tuple[Part, ...] = ()
    #: While it is Updating to another fleet: its config, and what there is of it.
    target_config_name: str = ""
    rising: tuple[Part, ...] = ()
    rollout: Rollout | None = None
    failure_reason: str = ""
    #: Since when it is known here: its creation, where that was seen.
    known_since: datetime | None = None
    #: When it came into service after it was created.
    awake_since: datetime | None = None
    #: Rises with each config that it was updated to.
    generation: int = 1
    #: Whether it takes asynchronous calls alone, so that it may have no instance.
    asynchronous: bool = False

    @property
    def observed(self) -> ObservedEndpoint:
        """Return it as the port tells it."""
        serves = self.status in SERVING
        return ObservedEndpoint(
            name=self.name,
            status=self.status,
            config_name=self.config_name,
            changed_at=self.changed_at,
            created_at=self.created_at,
            failure_reason=self.failure_reason,
            healthy=sum(each.current for each in self.parts) if serves else 0,
            wanted=sum(each.desired for each in self.parts),
            generation=self.generation,
            target_config_name=self.target_config_name,
            awake_since=self.awake_since,
            rollout=self.rollout,
        )


class SightStore(Protocol):
    """Remembers sights by endpoint name. What is lost is seen again, for the price of a call."""

    def all(self) -> Mapping[str, Sight]:
        """Return all sights; those that cannot be read are left out."""
        ...

    def put(self, sights: Collection[Sight]) -> None:
        """Remember these, over those of their names."""
        ...

    def forget(self, names: Collection[str]) -> None:
        """Forget the sights of these names; those that are not there count as forgotten."""
        ...
