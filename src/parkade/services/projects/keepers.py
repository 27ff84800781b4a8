"""The keepers of this server, by the kind of part that they keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.domain.project.part import Kind
    from parkade.services.projects.keeper import Keeper


class Keepers:
    """Finds who keeps the parts of a kind."""

    def __init__(self, keepers: Iterable[Keeper]) -> None:
        """Take them, one of a kind."""
        self._keepers: dict[Kind, Keeper] = {}
        for keeper in keepers:
            if keeper.kind in self._keepers:
                raise ValueError(f"there are two keepers of the kind {keeper.kind}")
            self._keepers[keeper.kind] = keeper

    def of(self, kind: Kind) -> Keeper:
        """Return who keeps a kind. Raises InvalidInput where this server keeps none of it."""
        if kind not in self._keepers:
            kept = ", ".join(sorted(self._keepers)) or "none at all"
            raise InvalidInput(
                f"this server keeps no part of the kind {kind}",
                field=kind,
                hint=f"leave it out of the project; it keeps: {kept}",
            )
        return self._keepers[kind]
