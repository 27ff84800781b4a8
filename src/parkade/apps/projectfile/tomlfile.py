"""TOML read into a tree; lines are those of tables and keys, as far as they begin a line."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from datetime import date, time
from typing import TYPE_CHECKING

from parkade.apps.projectfile.problem import BadFile
from parkade.apps.projectfile.tree import Mark, tree_of
from parkade.apps.projectfile.yamlfile import DEEPEST

if TYPE_CHECKING:
    from parkade.apps.projectfile.problem import Place
    from parkade.apps.projectfile.tree import Tree

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"^(\s*)(\[\[?)\s*({_DOTTED})\s*\]")
_ENTRY = re.compile(rf"^(\s*)({_DOTTED})\s*=")
_QUOTES = re.compile(r'"""|\'\'\'')
_WHERE = re.compile(r" \(at line (\d+), column (\d+)\)$")


def read(text: str) -> Tree | None:
    """Return what a TOML text says; None: it is empty. Raises BadFile."""
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = _WHERE.search(message)
        mark = Mark(int(found[1]), int(found[2])) if found else Mark()
        told = _WHERE.sub("", message)
        raise BadFile.of(mark, f"it is not TOML: {told[:1].lower()}{told[1:]}") from error
    except ValueError as error:  # a number that Python does not read, and no error of TOML's
        raise BadFile.of(Mark(), "it is not TOML: a number has too many digits") from error
    except RecursionError as error:
        raise BadFile.of(Mark(), f"it is nested more than {DEEPEST} deep") from error
    return tree_of(_plain(value, 0), _marks(text)) if value else None


def _plain(value: object, depth: int) -> object:
    """Return it with dates as texts, as YAML and JSON have them."""
    if depth > DEEPEST:
        raise BadFile.of(Mark(), f"it is nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        return {key: _plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, depth + 1) for each in value]
    return value.isoformat() if isinstance(value, date | time) else value


def _marks(text: str) -> dict[Place, Mark]:
    """Return where tables and keys begin, as far as each begins a line."""
    marks: dict[Place, Mark] = {(): Mark(1, 1)}
    table: Place = ()
    counted: Counter[Place] = Counter()
    within = False
    for number, line in enumerate(text.splitlines(), 1):
        header = None if within else _HEADER.match(line)
        entry = None if within or header else _ENTRY.match(line)
        if header is not None:
            table = _numbered(_parts(header[3]), counted)
            if header[2] == "[[":
                counted[table] += 1
                table = (*table, counted[table] - 1)
            _note(marks, table, Mark(number, len(header[1]) + 1))
        elif entry is not None:
            _note(marks, (*table, *_parts(entry[2])), Mark(number, len(entry[1]) + 1))
        within ^= len(_QUOTES.findall(line)) % 2 == 1
    return marks


def _note(marks: dict[Place, Mark], place: Place, mark: Mark) -> None:
    """Note where a place begins, and what is around it where that was not seen yet."""
    for length in range(1, len(place) + 1):
        marks.setdefault(place[:length], mark)


def _numbered(parts: Place, counted: Counter[Place]) -> Place:
    """Return the place of a table within the last entries of lists of tables."""
    place: Place = ()
    for number, part in enumerate(parts):
        place = (*place, part)
        if counted[place] and number < len(parts) - 1:
            place = (*place, counted[place] - 1)
    return place


def _parts(dotted: str) -> Place:
    found = re.findall(_KEY, dotted)
    return tuple(next(iter(tomllib.loads(f"{part} = 0"))) for part in found)
