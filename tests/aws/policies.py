"""Policies: what a list of statements says of an action on a resource."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALLOWED, DENIED, NOT_ALLOWED = "allowed", "denied", "not allowed"


@lru_cache(maxsize=4096)
def _pattern(text: str, *, cased: bool) -> re.Pattern[str]:
    made = "".join(
        ".*" if each == "*" else "." if each == "?" else re.escape(each) for each in text
    )
    return re.compile(made, re.DOTALL if cased else re.DOTALL | re.IGNORECASE)


def matches(pattern: str, text: str, *, cased: bool = True) -> bool:
    """Tell whether a text is of a pattern with `*` and `?`."""
    return _pattern(pattern, cased=cased).fullmatch(text) is not None


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def applies(statement: Mapping[str, Any], action: str, resource: str | None) -> bool:
    """Tell whether a statement is about this; a resource that is not known counts as meant."""
    if "Action" in statement:
        about = any(matches(each, action, cased=False) for each in listed(statement["Action"]))
    else:
        about = not any(
            matches(each, action, cased=False) for each in listed(statement["NotAction"])
        )
    if not about or resource is None:
        return about
    return any(matches(each, resource) for each in listed(statement.get("Resource", "*")))


def verdict(statements: Iterable[Mapping[str, Any]], action: str, resource: str | None) -> str:
    """Return what is said in all: what is denied is denied whatever else allows it."""
    found = NOT_ALLOWED
    for each in statements:
        if applies(each, action, resource):
            if each["Effect"] == "Deny":
                return DENIED
            found = ALLOWED
    return found
