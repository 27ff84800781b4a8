"""What SageMaker forgets with an endpoint, kept until one of its name serves again.

Deleting an endpoint takes its scalable targets, with their policies and scheduled actions, and its
inference components. They are kept as the requests that make them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.event import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The requests of one endpoint, in the order in which they are to be made."""

    endpoint_name: str
    #: When it was kept last; what it was made at before is not known any more.
    since: datetime
    #: The creation of the endpoint that is to go; None: there was none.
    leaving: datetime | None = None
    #: CreateInferenceComponent.
    components: Sequence[Mapping[str, Json]] = ()
    #: RegisterScalableTarget, PutScalingPolicy, PutScheduledAction.
    targets: Sequence[Mapping[str, Json]] = ()
    policies: Sequence[Mapping[str, Json]] = ()
    actions: Sequence[Mapping[str, Json]] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to be made again."""
        return not (self.components or self.targets or self.policies or self.actions)


class KeptStore(Protocol):
    """Keeps what goes with endpoints, by endpoint name."""

    def all(self) -> Mapping[str, Kept]:
        """Return all that is kept; what cannot be read is left out."""
        ...

    def get(self, endpoint_name: str) -> Kept | None:
        """Return what is kept of an endpoint; None: nothing. Raises Unreadable."""
        ...

    def change(self, endpoint_name: str, decide: Callable[[Kept | None], Kept]) -> None:
        """Keep what is decided on what is kept, None: nothing; what is empty is forgotten.

        Where another write came first it is decided again. Raises Unreadable.
        """
        ...
