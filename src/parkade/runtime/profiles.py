"""What a model brings into its process while it is loaded, as its worker tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Modules, and changes of the environment, that were not there before."""

    #: Modules of the interpreter and its packages.
    own: frozenset[str]
    #: The model's own modules, and second names.
    others: frozenset[str]
    #: Variables with digests of their values, empty where one was removed.
    changed: frozenset[tuple[str, str]]
    #: Those of its own in the order of their import. It differs from one process to the next, where
    #: a package goes through a set; whichever was seen will do.
    order: tuple[str, ...] = field(compare=False)

    def admits(self, there: Profile) -> bool:
        """Tell whether a process in which `there` has happened is as if the model began in it.

        Nothing may be there that the model would not have brought itself. A variable that the
        model's code sets has to be set before any library can read it, so that with such a model
        no process that has libraries is good enough.
        """
        return (
            there.changed == self.changed and there.others <= self.others and there.own <= self.own
        )


def profile(given: Any) -> Profile | None:
    """Return what a process has told, None where it is not understood."""
    try:
        order = tuple(map(str, given["own"]))
        return Profile(
            own=frozenset(order),
            others=frozenset(map(str, given["others"])),
            changed=frozenset((str(k), str(v)) for k, v in given["changed"].items()),
            order=order,
        )
    except (AttributeError, KeyError, TypeError):
        return None


def told(known: Profile) -> dict[str, Any]:
    """Return it as a process tells it."""
    return {
        "own": known.order,
        "others": sorted(known.others),
        "changed": dict(sorted(known.changed)),
    }
