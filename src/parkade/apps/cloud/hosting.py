"""What runs endpoints on AWS, wired: everything that looks at SageMaker, or tells it to do something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from parkade.adapters.aws.sagemaker.arns import Arns
from parkade.adapters.aws.sagemaker.hosting import SageMakerHosting
from parkade.adapters.aws.sagemaker.shelf import Shelf
from parkade.adapters.aws.sagemaker.sights import Sights
from parkade.adapters.aws.sagemaker.tags import Tags

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.sight import SightStore
    from parkade.ports.clock import Clock
    from parkade.ports.inventory import TagStore
    from parkade.ports.remains import RemainsKeeper


class Memory(Protocol):
    """What is remembered of endpoints."""

    @property
    def sights(self) -> SightStore:
        """How endpoints were last seen."""
        ...

    @property
    def tags(self) -> TagStore:
        """Tags of endpoints that are not there."""
        ...

    @property
    def remains(self) -> RemainsKeeper:
        """What brings endpoints back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMaker:
    """SageMaker, as far as all of its adapters share it."""

    shelf: Shelf
    sights: Sights
    tags: Tags
    hosting: SageMakerHosting


def build(account: Account, memory: Memory, clock: Clock, *, role_arn: str = "") -> SageMaker:
    """Wire it; `role_arn` is what models are made with that name no role of their own."""
    shelf = Shelf(account, role_arn=role_arn)
    sights = Sights(account, memory.sights, clock, shelf=shelf)
    tags = Tags(account, Arns(account), memory.tags)
    hosting = SageMakerHosting(
        account, sights=sights, tags=tags, remains=memory.remains, clock=clock
    )
    return SageMaker(shelf=shelf, sights=sights, tags=tags, hosting=hosting)
