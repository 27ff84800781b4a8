r"""Patterns of the service's description, which are written for Java: `\p{L}` and the like."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import defaultdict
from functools import cache

_PROPERTY = re.compile(r"\\p\{(\w+)\}")
_HALVES = re.compile(r"\\u(D[89AB][0-9A-F]{2})\\u(D[C-F][0-9A-F]{2})", re.IGNORECASE)
_ASCII = 128
#: Java's names of what is no Unicode category.
_POSIX = {"Alnum": "a-zA-Z0-9", "ASCII": r"\x00-\x7f", "Print": r"\x20-\x7e"}


def matches(pattern: str, text: str) -> bool:
    """Tell whether the whole text is of this pattern."""
    return _compiled(pattern, ascii_only=text.isascii()).fullmatch(text) is not None


@cache
def _compiled(pattern: str, *, ascii_only: bool) -> re.Pattern[str]:
    """Translate a pattern; with the letters of ASCII alone where that will do, since it is quick."""
    limit = _ASCII if ascii_only else sys.maxunicode + 1

    def spelt(match: re.Match[str]) -> str:
        characters = _POSIX.get(match[1]) or _categories(limit)[match[1]]
        before = pattern[: match.start()]
        inside = before.count("[") > before.count("]")
        return characters if inside else f"[{characters}]"

    # Java spells characters beyond the first 65,536 as two halves.
    whole = _HALVES.sub(_joined, _PROPERTY.sub(spelt, pattern))
    # Java's \d, \s and \w are those of ASCII; what it calls \z is \Z here.
    return re.compile(whole.replace(r"\z", r"\Z"), re.ASCII)


def _joined(halves: re.Match[str]) -> str:
    high, low = int(halves[1], 16) - 0xD800, int(halves[2], 16) - 0xDC00
    return f"\\U{0x10000 + (high << 10) + low:08x}"


@cache
def _categories(limit: int) -> dict[str, str]:
    """Return the characters of each main category (L, N, Z ...), as the inside of a class."""
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for code in range(limit):
        ranges = found[unicodedata.category(chr(code))[0]]
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return {name: "".join(map(_range, ranges)) for name, ranges in found.items()}


def _range(ends: tuple[int, int]) -> str:
    return f"\\U{ends[0]:08x}-\\U{ends[1]:08x}"
