"""W3C trace context: which `traceparent` and `tracestate` are passed on, and which are dropped.

The rules are those of https://www.w3.org/TR/trace-context-2/: a parent that is not valid is as good as
none, and takes the state with it; a state that is not valid goes alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Members of a state.
MOST_MEMBERS = 32
_PARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}"
    r"(?P<rest>-.*)?",
    re.ASCII,
)
_KEY = r"(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
_VALUE = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_MEMBER = re.compile(f"({_KEY})={_VALUE}")
#: What may stand around a member.
_SPACE = " \t"


def trace_context(parents: Sequence[str], states: Sequence[str]) -> tuple[str, str]:
    """Return the parent and the state to pass on, of all headers of these names; empty: none."""
    if len(parents) != 1 or not valid_parent(parents[0].strip(_SPACE)):
        return "", ""
    return parents[0].strip(_SPACE), _state(states)


def valid_parent(text: str) -> bool:
    """Tell whether it is a `traceparent`, of this version of the rules or of one to come."""
    match = _PARENT.fullmatch(text)
    if match is None or match["version"] == "ff":
        return False
    if match["version"] == "00" and match["rest"] is not None:
        return False
    return any(digit != "0" for digit in match["trace"]) and any(
        digit != "0" for digit in match["parent"]
    )


def _state(texts: Sequence[str]) -> str:
    """Return what the headers say together, or nothing where any of it is not valid."""
    members = [each.strip(_SPACE) for text in texts for each in text.split(",")]
    members = [each for each in members if each]
    keys = set()
    for each in members:
        match = _MEMBER.fullmatch(each)
        if match is None or match[1] in keys:
            return ""
        keys.add(match[1])
    return ",".join(members) if len(members) <= MOST_MEMBERS else ""
