"""A file of another tool, taken key by key; what nobody took is told in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.apps.projectfile.problem import Place, spelt
from parkade.apps.projectfile.tree import Leaf, Mark, Row, Table, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNKNOWN = "it is not known here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something that was not carried over, or not as it was, and why."""

    mark: Mark
    place: Place
    text: str

    def __str__(self) -> str:
        line = f"line {self.mark.line}: " if self.mark.line else ""
        return f"{line}{spelt(self.place)}: {self.text}"


class Given:
    """One mapping of the file. All that are made from one share what is told."""

    def __init__(self, table: Table, place: Place = (), told: list[Told] | None = None) -> None:
        self._table = table
        self._left = dict(table.entries)
        self.place = place
        self.told = [] if told is None else told

    def say(self, key: str, text: str) -> None:
        """Tell something of a key."""
        mark = self._table.keys.get(key, self._table.mark)
        self.told.append(Told(mark=mark, place=(*self.place, key), text=text))

    def leave(self, key: str, why: str) -> None:
        """Tell why a key is not carried over, where it is there."""
        if self._left.pop(key, None) is not None:
            self.say(key, f"not carried over: {why}")

    def text(self, *keys: str) -> str:
        """Return the text of the first of these keys that is there; empty: there is none."""
        found = self._take((str,), "a text", keys)
        return found if isinstance(found, str) else ""

    def number(self, key: str) -> int | float | None:
        """Return a number."""
        found = self._take((int, float), "a number", (key,))
        return found if isinstance(found, int | float) else None

    def flag(self, key: str) -> bool | None:
        """Return true or false."""
        found = self._take((bool,), "true or false", (key,))
        return found if isinstance(found, bool) else None

    def texts(self, key: str) -> list[str]:
        """Return the texts of a list."""
        tree = self._left.pop(key, None)
        items = tree.items if isinstance(tree, Row) else []
        found = [each.value for each in items if isinstance(each, Leaf)]
        if tree is not None and (
            not isinstance(tree, Row) or not all(isinstance(each, str) for each in found)
        ):
            self.say(key, "not carried over: it is no list of texts")
            return []
        return found

    def section(self, key: str) -> Given | None:
        """Return a mapping within it; None: there is none."""
        tree = self._left.pop(key, None)
        if isinstance(tree, Table):
            return Given(tree, (*self.place, key), self.told)
        if tree is not None:
            self.say(key, "not carried over: it is no mapping")
        return None

    def sections(self, key: str) -> list[Given]:
        """Return the mappings of a list within it."""
        tree = self._left.pop(key, None)
        if tree is None:
            return []
        items = tree.items if isinstance(tree, Row) else ()
        tables = [each for each in items if isinstance(each, Table)]
        if not isinstance(tree, Row) or len(tables) < len(items):
            self.say(key, "not carried over: it is no list of mappings")
            return []
        return [
            Given(each, (*self.place, key, number), self.told) for number, each in enumerate(tables)
        ]

    def rest(self) -> None:
        """Tell of all keys that nobody took."""
        for key, tree in self._left.items():
            shown = "" if isinstance(tree, Table | Row) else f" ({plain(tree)!s:.60})"
            self.say(key, f"not carried over{shown}: {_UNKNOWN}")
        self._left = {}

    def _take(self, kinds: tuple[type, ...], noun: str, keys: tuple[str, ...]) -> object:
        for key in keys:
            tree = self._left.pop(key, None)
            if tree is None:
                continue
            value = tree.value if isinstance(tree, Leaf) else None
            # A truth value is a number in Python alone.
            if isinstance(value, kinds) and isinstance(value, bool) == (bool in kinds):
                return value
            self.say(key, f"not carried over: it is not {noun}")
        return None


def in_order(told: list[Told]) -> Iterator[Told]:
    """Go through what was told, line by line."""
    yield from sorted(told, key=lambda each: (each.mark.line, each.mark.column))
