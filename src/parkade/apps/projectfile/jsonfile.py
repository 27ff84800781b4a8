"""JSON read into a tree."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from parkade.apps.projectfile.problem import BadFile
from parkade.apps.projectfile.tree import Mark, tree_of
from parkade.apps.projectfile.yamlfile import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.apps.projectfile.problem import Place
    from parkade.apps.projectfile.tree import Tree

#: The tokens of JSON that is known to be JSON.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def read(text: str) -> Tree | None:
    """Return what a JSON text says; None: it is empty. Raises BadFile."""
    if not text.strip():
        return None
    _require_shallow(text)
    try:
        value = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        mark = Mark(error.lineno, error.colno)
        raise BadFile.of(mark, f"it is not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from error
    except ValueError as error:
        raise BadFile.of(Mark(), f"it is not JSON: {error}") from error
    return tree_of(value, _marks(text))


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON's")


def _require_shallow(text: str) -> None:
    """Refuse what is nested so deeply that it cannot be read."""
    depth = 0
    lines = _Lines(text)
    for match in _TOKEN.finditer(text):
        depth += (match[0] in "{[") - (match[0] in "}]")
        if depth > DEEPEST:
            raise BadFile.of(lines.mark(match.start()), f"it is nested more than {DEEPEST} deep")


def _marks(text: str) -> dict[Place, Mark]:
    """Return where each place stands. Raises BadFile for a key that is there twice."""
    marks: dict[Place, Mark] = {(): Mark(1, 1)}
    lines = _Lines(text)
    for place, start in _places(text):
        mark = lines.mark(start)
        if place in marks and isinstance(place[-1], str):
            raise BadFile.of(
                mark,
                f"the key {place[-1][:80]!r} is there twice",
                hint=f"it is in line {marks[place].line} already: keep one of them",
            )
        marks[place] = mark
    return marks


def _places(text: str) -> Iterator[tuple[Place, int]]:
    """Go through the keys of objects and the items of lists, each with where it begins."""
    #: What is open: the key, or the number, of what comes now; None: a key is next.
    stack: list[str | int | None] = []
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece in "}]":
            stack.pop()
        elif piece == ",":
            last = stack[-1]
            stack[-1] = last + 1 if isinstance(last, int) else None
        elif piece != ":":
            if stack and stack[-1] is None:
                stack[-1] = json.loads(piece)
                yield tuple(part for part in stack if part is not None), match.start()
                continue
            if stack and isinstance(stack[-1], int):
                yield tuple(part for part in stack if part is not None), match.start()
            if piece in "{[":
                stack.append(None if piece == "{" else 0)


class _Lines:
    """Where the lines of a text begin."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def mark(self, offset: int) -> Mark:
        line = bisect_right(self._starts, offset)
        return Mark(line, offset - self._starts[line - 1] + 1)
