"""The settings file as last read, and what is another one when it is read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parkade.apps.serverfile import ServerFile
    from parkade.domain.lease import LeaseRules

#: Settings whose members are named by people: each is told as a whole.
_WHOLE = frozenset({"images", "topics"})


@dataclass(slots=True)
class Current:
    """What everything in the process reads its settings from."""

    file: ServerFile

    def lease_rules(self) -> LeaseRules:
        """Return what leases are held to now."""
        return self.file.lease_rules()

    def exchange(self, fresh: ServerFile) -> list[str]:
        """Take up what was read anew; return the names of what changed, in their order."""
        old, new = _flat(self.file.model_dump()), _flat(fresh.model_dump())
        self.file = fresh
        return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _flat(tree: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in tree.items():
        if isinstance(value, dict) and prefix + name not in _WHOLE:
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
