"""YAML read into a tree: safe, without guesses, and no larger than it looks.

Scalars mean what they mean in YAML 1.2 and JSON: `on` and `no` are texts, `012` is no octal number,
and a date is a text. Keys are there once. What aliases expand to is counted, so that a few lines
cannot become gigabytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from parkade.apps.projectfile.problem import BadFile
from parkade.apps.projectfile.tree import Leaf, Mark, Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.projectfile.tree import Tree

#: How deeply mappings and lists may be nested, and how many values there may be, aliases expanded.
DEEPEST, MOST_VALUES = 40, 100_000
_MERGE = "<<"
_TEXT, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_BOOL, _INT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
#: No whole number that means anything has more digits.
_DIGITS = 40
_NUMBER = list("-+0123456789.")


class _Loader(yaml.SafeLoader):
    """Resolves plain scalars as YAML 1.2's core schema does, and counts nesting."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML's own form

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._depth += 1
        if self._depth > DEEPEST:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise _at(event.start_mark, f"it is nested more than {DEEPEST} deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


for _tag, _pattern, _first in (
    (_BOOL, r"^(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    (_NULL, r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    (_INT, r"^[-+]?(0|[1-9][0-9]*)$", _NUMBER),
    (_FLOAT, r"^[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", _NUMBER),
    (_FLOAT, r"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$", _NUMBER),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), _first)


def read(text: str) -> Tree | None:
    """Return what a YAML text says; None: it is empty. Raises BadFile."""
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        told = " ".join(filter(None, (error.context, error.problem)))
        raise _at(place, f"it is not YAML: {told}", hint=_about_braces(text, place)) from error
    except yaml.YAMLError as error:
        raise BadFile.of(Mark(), f"it is not YAML: {' '.join(str(error).split())}") from error
    return None if node is None else _Reader().tree(node, ())


def scalar(text: str) -> Any:
    """Return what a plain scalar means."""
    tag = _Loader("").resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return _value(tag, text)


class _Reader:
    """Makes a tree of nodes, and counts the values."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def tree(self, node: yaml.Node, around: tuple[yaml.Node, ...]) -> Tree:
        self._left -= 1
        if self._left < 0:
            raise _at(node.start_mark, f"it has more than {MOST_VALUES:,} values, aliases expanded")
        if node in around:
            raise _at(node.start_mark, "an alias stands within what it stands for")
        inner = (*around, node)
        if isinstance(node, yaml.MappingNode):
            return self._table(node, inner)
        if isinstance(node, yaml.SequenceNode):
            return Row([self.tree(each, inner) for each in node.value], _mark(node.start_mark))
        return Leaf(_scalar(node), _mark(node.start_mark))

    def _table(self, node: yaml.MappingNode, around: tuple[yaml.Node, ...]) -> Table:
        entries: dict[str, Tree] = {}
        keys: dict[str, Mark] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            key = _key(key_node)
            if key == _MERGE and key_node.style is None:
                several = isinstance(value_node, yaml.SequenceNode)
                merged += value_node.value if several else [value_node]
                continue
            mark = _mark(key_node.start_mark)
            if key in entries:
                raise BadFile.of(
                    mark,
                    f"the key {key[:80]!r} is there twice",
                    hint=f"it is in line {keys[key].line} already: keep one of them",
                )
            entries[key], keys[key] = self.tree(value_node, around), mark
        for each in merged:
            table = self.tree(each, around)
            if not isinstance(table, Table):
                raise _at(each.start_mark, "<< takes a mapping, or a list of them")
            for key, value in table.entries.items():
                if key not in entries:
                    entries[key], keys[key] = value, table.keys[key]
        return Table(entries, _mark(node.start_mark), keys)


def _key(node: yaml.Node) -> str:
    """Return a key; all keys are texts, whatever they look like."""
    if not isinstance(node, yaml.ScalarNode):
        raise _at(node.start_mark, "a key has to be a text")
    return str(node.value)


def _scalar(node: yaml.Node) -> Any:
    try:
        return _value(node.tag, str(node.value))
    except KeyError as error:
        raise _at(
            node.start_mark, f"the tag {node.tag[:80]!r} is not taken; leave it out"
        ) from error
    except ValueError as error:
        raise _at(node.start_mark, f"{str(node.value)[:80]!r} is not what its tag says") from error


def _value(tag: str, text: str) -> Any:
    if tag == _INT and len(text) > _DIGITS:
        raise ValueError(text)
    return _MEANING[tag](text)


#: What a scalar means, by its tag.
_MEANING: dict[str, Callable[[str], Any]] = {
    _TEXT: str,
    _NULL: lambda _: None,
    _BOOL: lambda text: text.lower() == "true",
    _INT: int,
    _FLOAT: lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
}


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _about_braces(text: str, mark: Any) -> str:
    """Say what to do about a variable whose braces were taken for a mapping's."""
    lines = text.splitlines()
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    return 'between braces, write variables in quotes: "${NAME}"' if "${" in line else ""


def _at(mark: Any, message: str, *, hint: str = "") -> BadFile:
    return BadFile.of(Mark() if mark is None else _mark(mark), message, hint=hint)
