"""What a model brings into its process while it is loaded, as its worker tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Modules, and changes of the environment, that were not there before."""

    #: Modules of the interpreter and its packages, in the order of their import.
    own: tuple[str, ...]
    #: The model's own modules, and second names.
    others: frozenset[str]
    #: Variables with digests of their values, empty where one was removed.
    changed: frozenset[tuple[str, str]]

    def admits(self, there: Profile) -> bool:
        """Tell whether a process in which `there` has happened is as if the model began in it.

        Nothing may be there that the model would not have brought itself. A variable that the
        model's code sets has to be set before any library can read it, so that with such a model
        no process that has libraries is good enough.
        """
        return (
            there.changed == self.changed
            and there.others <= self.others
            and frozenset(there.own) <= frozenset(self.own)
        )


def profile(given: Any) -> Profile | None:
    """Return what a process has told, None where it is not understood."""
    try:
        return Profile(
            own=tuple(map(str, given["own"])),
            others=frozenset(map(str, given["others"])),
            changed=frozenset((str(k), str(v)) for k, v in given["changed"].items()),
        )
    except (AttributeError, KeyError, TypeError):
        return None


def told(known: Profile) -> dict[str, Any]:
    """Return it as a process tells it."""
    return {
        "own": known.own,
        "others": sorted(known.others),
        "changed": dict(sorted(known.changed)),
    }
