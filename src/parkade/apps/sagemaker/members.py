"""Members of inputs that are kept to be shown again, and members that are refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.sagemaker.faults import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def kept(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the members of these names that were given: nothing acts on them here."""
    return {name: given[name] for name in names if name in given}


def refuse(given: Mapping[str, Any], reasons: Mapping[str, str], *, within: str = "") -> None:
    """Raise ValidationException for the first member that has a reason not to be taken.

    What is given as false, or as an empty list, asks for nothing and may pass.
    """
    for name, why in reasons.items():
        if given.get(name):
            raise refused(f"{within}.{name}" if within else name, why)
