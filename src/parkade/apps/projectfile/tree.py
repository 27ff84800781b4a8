"""What a file says, with the line of everything: the form that all three kinds of files are read into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from parkade.apps.projectfile.problem import Place


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something stands in its file; counted from 1, 0: not known."""

    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Write it as compilers do."""
        known = [str(number) for number in (self.line, self.column) if number]
        return ":".join(known)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text, number, truth value or null."""

    value: Any
    mark: Mark = Mark()
    #: Whether all of it stood for a variable of the environment, without quotes or with them.
    of_variable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; `keys` are where its keys stand."""

    entries: Mapping[str, Tree]
    mark: Mark = Mark()
    keys: Mapping[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """A list."""

    items: Sequence[Tree]
    mark: Mark = Mark()


#: Anything that a file says.
Tree: TypeAlias = Leaf | Table | Row


def tree_of(value: object, marks: Mapping[Place, Mark], place: Place = ()) -> Tree:
    """Return plain data as a tree, with the marks that are known of its places."""
    mark = marks.get(place, Mark())
    if isinstance(value, dict):
        entries = {key: tree_of(each, marks, (*place, key)) for key, each in value.items()}
        return Table(entries, mark, {key: marks.get((*place, key), Mark()) for key in entries})
    if isinstance(value, list):
        items = [tree_of(each, marks, (*place, number)) for number, each in enumerate(value)]
        return Row(items, mark)
    return Leaf(value, mark)


def plain(tree: Tree) -> Any:
    """Return what a tree says, as plain data."""
    if isinstance(tree, Table):
        return {key: plain(each) for key, each in tree.entries.items()}
    if isinstance(tree, Row):
        return [plain(each) for each in tree.items]
    return tree.value


def leaves(tree: Tree, place: Place = ()) -> Iterator[tuple[Place, Leaf]]:
    """Go through all leaves, each with its place."""
    if isinstance(tree, Table):
        for key, each in tree.entries.items():
            yield from leaves(each, (*place, key))
    elif isinstance(tree, Row):
        for number, each in enumerate(tree.items):
            yield from leaves(each, (*place, number))
    else:
        yield place, tree


def places(tree: Tree, place: Place = ()) -> Iterator[Place]:
    """Go through the places of all that stands in a tree, tables and lists included."""
    if isinstance(tree, Leaf):
        return
    inner = tree.entries.items() if isinstance(tree, Table) else enumerate(tree.items)
    for key, each in inner:
        yield (*place, key)
        yield from places(each, (*place, key))


def mark_of(tree: Tree, place: Place) -> Mark:
    """Return where a place stands: its key, else the nearest thing around it that is known."""
    mark = tree.mark
    for part in place:
        if isinstance(tree, Table) and part in tree.entries:
            mark = _known(tree.keys.get(str(part)), tree.entries[str(part)].mark, mark)
            tree = tree.entries[str(part)]
        elif isinstance(tree, Row) and isinstance(part, int) and part < len(tree.items):
            tree = tree.items[part]
            mark = _known(tree.mark, mark)
        else:
            break
    return mark


def _known(*marks: Mark | None) -> Mark:
    return next((mark for mark in marks if mark is not None and mark.line), Mark())
