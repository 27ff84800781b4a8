"""What a caller prefers where a model is not there at once: the header `Prefer` of RFC 7240.

`wait` and `respond-async` are understood. Other preferences, and values that are none, are left aside,
as the RFC has it: a preference is no condition. Of one that is given twice the first one counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Characters of a header that are looked at.
LIMIT = 1024
#: Digits of a number of seconds.
_DIGITS = 9
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  it is RFC 9110's word for a word
_QUOTED = r'"(?:[^"\\]|\\.)*"'
#: One preference with its parameters; commas within quotes do not end it.
_ELEMENT = re.compile(rf'(?:[^,"]|{_QUOTED})+')
_PREFERENCE = re.compile(rf"\s*({_TOKEN})\s*(?:=\s*({_TOKEN}|{_QUOTED})\s*)?(?:;.*)?\s*")


class Preferences(TypedDict, total=False):
    """The members of `headers.Asked` that a caller's preferences are."""

    wait: int
    respond_async: bool


def preferences(values: Iterable[str]) -> Preferences:
    """Return what the values of all `Prefer` headers say together."""
    given: dict[str, str] = {}
    for value in values:
        for element in _ELEMENT.findall(value[:LIMIT]):
            match = _PREFERENCE.fullmatch(element)
            if match is not None:
                given.setdefault(match[1].lower(), (match[2] or "").strip('"'))
    said = Preferences()
    seconds = given.get("wait", "")
    if seconds.isascii() and seconds.isdigit() and len(seconds) <= _DIGITS:
        said["wait"] = int(seconds)
    if "respond-async" in given:
        said["respond_async"] = True
    return said
