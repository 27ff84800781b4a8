"""Notices that are kept instead of sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parkade.ports.notices import Notice


class MemoryNotices:
    """The notices port; `told` holds every notice in order."""

    def __init__(self) -> None:
        self.told: list[Notice] = []

    def tell(self, notice: Notice) -> None:
        """Keep the notice."""
        self.told.append(notice)
