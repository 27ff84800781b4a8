"""Members of JSON objects: those that are something, and those that nothing here understands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def present(**members: Any) -> dict[str, Any]:
    """Return the members that are something."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}


def beside(given: Mapping[str, Any], understood: Collection[str]) -> dict[str, Any]:
    """Return the members that ask for something, without those that are understood."""
    return {name: value for name, value in given.items() if name not in understood and value}
