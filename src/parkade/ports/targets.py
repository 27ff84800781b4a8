"""What people asked for about target models: pins, times to live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.event import Event
    from parkade.domain.targets import TargetSetting


class TargetStore(Protocol):
    """Stores settings by endpoint and target model. They outlive the endpoint: it may come back."""

    def put(self, setting: TargetSetting, event: Event) -> None:
        """Store the setting over the one of its target; one that says nothing removes it."""
        ...

    def all(self) -> Sequence[TargetSetting]:
        """Return every setting in the order of endpoints and targets."""
        ...
