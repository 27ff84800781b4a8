"""Sights of endpoints, in a dictionary: for as long as the process lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from parkade.adapters.aws.sagemaker.sight import Sight


class MemorySightStore:
    """The sight store. What a process alone needs, such as a command of the CLI."""

    def __init__(self) -> None:
        self._sights: dict[str, Sight] = {}

    def all(self) -> Mapping[str, Sight]:
        """Return all sights."""
        return dict(self._sights)

    def put(self, sights: Collection[Sight]) -> None:
        """Remember these."""
        self._sights |= {each.name: each for each in sights}

    def forget(self, names: Collection[str]) -> None:
        """Forget these."""
        for name in names:
            self._sights.pop(name, None)
