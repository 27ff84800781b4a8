"""What runs endpoints on AWS, wired: all that looks at SageMaker, or tells it to do something."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from parkade.adapters.aws.sagemaker.aftercare import Aftercare
from parkade.adapters.aws.sagemaker.arns import Arns
from parkade.adapters.aws.sagemaker.chronicle import Chronicle
from parkade.adapters.aws.sagemaker.components import Components
from parkade.adapters.aws.sagemaker.hosting import SageMakerHosting
from parkade.adapters.aws.sagemaker.shelf import Shelf
from parkade.adapters.aws.sagemaker.sights import Sights
from parkade.adapters.aws.sagemaker.tags import Tags

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.capacity import SageMakerCapacity
    from parkade.adapters.aws.sagemaker.catalog import SageMakerInventory
    from parkade.adapters.aws.sagemaker.kept import KeptStore
    from parkade.adapters.aws.sagemaker.machines import SageMakerMachines
    from parkade.adapters.aws.sagemaker.models import SageMakerModels
    from parkade.adapters.aws.sagemaker.provisioner import SageMakerProvisioner
    from parkade.adapters.aws.sagemaker.scaling import SageMakerScaling
    from parkade.adapters.aws.sagemaker.sight import Sight, SightStore
    from parkade.adapters.aws.sagemaker.subjects import Subjects
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.inventory import TagStore
    from parkade.ports.remains import RemainsKeeper


class Memory(Protocol):
    """What is remembered of endpoints."""

    @property
    def history(self) -> History:
        """What happened."""
        ...

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

    @property
    def kept(self) -> KeptStore:
        """What goes with endpoints that are not there: their scaling, their components."""
        ...


class SageMaker:
    """SageMaker's adapters, each made when it is first asked for: a function pays for what it uses."""

    def __init__(
        self,
        account: Account,
        memory: Memory,
        clock: Clock,
        *,
        role_arn: str,
        sweeps: bool,
    ) -> None:
        """Take what `build` takes."""
        told = Chronicle(memory.history, clock) if sweeps else _unheard
        self._account = account
        self._history = memory.history
        self._kept = memory.kept
        self._clock = clock
        self.shelf = Shelf(account, role_arn=role_arn)
        self.sights = Sights(account, memory.sights, clock, shelf=self.shelf, told=told)
        self.tags = Tags(account, Arns(account), memory.tags)
        self.components = Components(account, self.shelf)
        self._aftercare = Aftercare(account, memory.kept, clock)
        self.hosting = SageMakerHosting(
            account,
            sights=self.sights,
            tags=self.tags,
            remains=memory.remains,
            clock=clock,
            aftercare=self._aftercare,
            restores=sweeps,
        )

    @cached_property
    def provisioner(self) -> SageMakerProvisioner:
        """Makes and changes what a deployment is of."""
        from parkade.adapters.aws.sagemaker.provisioner import (  # noqa: PLC0415  as said above
            SageMakerProvisioner,
        )

        return SageMakerProvisioner(
            self._account,
            sights=self.sights,
            hosting=self.hosting,
            tags=self.tags,
            history=self._history,
            clock=self._clock,
            aftercare=self._aftercare,
        )

    @cached_property
    def models(self) -> SageMakerModels:
        """Makes and removes models."""
        from parkade.adapters.aws.sagemaker.models import SageMakerModels  # noqa: PLC0415

        return SageMakerModels(
            self._account,
            shelf=self.shelf,
            tags=self.tags,
            history=self._history,
            clock=self._clock,
        )

    @cached_property
    def inventory(self) -> SageMakerInventory:
        """Shows what there is."""
        from parkade.adapters.aws.sagemaker.catalog import SageMakerInventory  # noqa: PLC0415

        return SageMakerInventory(
            sights=self.sights,
            tags=self.tags,
            models=self.models,
            provisioner=self.provisioner,
            components=self.components,
        )

    @cached_property
    def capacity(self) -> SageMakerCapacity:
        """Reads and sets how many there are of what."""
        from parkade.adapters.aws.sagemaker.capacity import SageMakerCapacity  # noqa: PLC0415

        return SageMakerCapacity(self._account, sights=self.sights, components=self.components)

    @cached_property
    def machines(self) -> SageMakerMachines:
        """Knows what endpoints run on."""
        from parkade.adapters.aws.sagemaker.machines import SageMakerMachines  # noqa: PLC0415

        return SageMakerMachines(self.sights, self.components, self._clock)

    @cached_property
    def subjects(self) -> Subjects:
        """Tells what the use of an endpoint is counted for."""
        from parkade.adapters.aws.sagemaker.subjects import Subjects  # noqa: PLC0415

        return Subjects(self.sights, self.components)

    @cached_property
    def scaling(self) -> SageMakerScaling:
        """What is scaled, by Application Auto Scaling."""
        from parkade.adapters.aws.sagemaker.scaling import SageMakerScaling  # noqa: PLC0415

        return SageMakerScaling(
            self._account,
            sights=self.sights,
            kept=self._kept,
            history=self._history,
            clock=self._clock,
        )


def build(
    account: Account, memory: Memory, clock: Clock, *, role_arn: str = "", sweeps: bool = False
) -> SageMaker:
    """Wire it; `role_arn` is what models are made with that name no role of their own.

    The one process that `sweeps` tells the history what becomes of endpoints, and gives them back what
    went with former ones of their names; all others only look.
    """
    return SageMaker(account, memory, clock, role_arn=role_arn, sweeps=sweeps)


def _unheard(before: Sight | None, after: Sight | None) -> None:
    """Leave it to the process that sweeps."""
