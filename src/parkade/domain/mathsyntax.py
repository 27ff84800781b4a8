"""Metric math: from the text of an expression to its tree.

What binds tightest stands last: `||`, `&&`, comparisons, `+ -`, `* /`, `^`, a leading minus; then
numbers, texts in quotes, ids, calls of functions, lists in brackets, and parentheses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from parkade.domain.errors import InvalidInput

#: How deep an expression may be, and how many operators it may have; people write fewer.
DEPTH = 50
OPERATORS = 200

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<name>[A-Za-z][A-Za-z0-9_]*)
      | (?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]])
    )""",
    re.VERBOSE | re.ASCII,
)
#: Operators by how tightly they bind; words mean what their signs do.
_BINDING = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "^": 6,
}  # fmt: skip
_WORDS = {"OR": "||", "AND": "&&"}


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """The id of another query, or a word that a function knows."""

    id: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Items in brackets."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """What a minus stands before."""

    node: Node


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator between two nodes."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function and what it is given."""

    function: str
    arguments: tuple[Node, ...]


Node: TypeAlias = "Number | Text | Name | Listed | Negative | Operation | Call"


def parse(expression: str) -> Node:
    """Return the tree of an expression. Raises InvalidInput that says where it goes wrong."""
    return _Parser(expression).whole()


def names(node: Node) -> frozenset[str]:
    """Return all names in a tree."""
    match node:
        case Name(found):
            return frozenset({found})
        case Listed(items) | Call(_, items):
            return frozenset[str]().union(*map(names, items))
        case Negative(inner):
            return names(inner)
        case Operation(_, left, right):
            return names(left) | names(right)
        case _:
            return frozenset()


def wrong(expression: str, why: str) -> InvalidInput:
    """Return the error of an expression that cannot be used."""
    return InvalidInput(
        f"the expression {expression[:200]!r} cannot be used: {why}", field="Expression"
    )


class _Parser:
    """One walk over the tokens of an expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._at = 0
        self._depth = 0
        self._operators = 0
        self._kind = self._token = ""
        self._next()

    def whole(self) -> Node:
        """Return the tree of all of it."""
        node = self._operation(1)
        if self._kind:
            raise self._unexpected()
        return node

    def _next(self) -> None:
        rest = self._expression[self._at :]
        if not rest.strip():
            self._kind = self._token = ""
            return
        match = _TOKEN.match(rest)
        if match is None:
            place = len(self._expression) - len(rest.lstrip())
            found = self._expression[place]
            raise wrong(self._expression, f"{found!r} at place {place + 1} means nothing")
        self._at += match.end()
        self._kind = str(match.lastgroup)
        self._token = match[self._kind]
        if self._kind == "name" and self._token in _WORDS:
            self._kind, self._token = "sign", _WORDS[self._token]

    def _operation(self, least: int) -> Node:
        """Read operands as long as operators bind at least so tightly; all from the left."""
        self._depth += 1
        if self._depth > DEPTH:
            raise wrong(self._expression, f"it is deeper than {DEPTH}")
        left = self._operand()
        while self._kind == "sign" and _BINDING.get(self._token, 0) >= least:
            operator = self._token
            self._operators += 1
            if self._operators > OPERATORS:
                raise wrong(self._expression, f"it has more than {OPERATORS} operators")
            self._next()
            left = Operation(operator, left, self._operation(_BINDING[operator] + 1))
        self._depth -= 1
        return left

    def _operand(self) -> Node:
        kind, text = self._kind, self._token
        if kind == "sign" and text == "-":
            self._next()
            return Negative(self._operation(_BINDING["^"]))
        if kind == "sign" and text in {"(", "["}:
            self._next()
            if text == "[":
                return Listed(self._items("]"))
            node = self._operation(1)
            self._expect(")")
            return node
        if kind not in {"number", "text", "name"}:
            raise self._unexpected()
        self._next()
        if kind == "number":
            return Number(float(text))
        if kind == "text":
            return Text(text[1:-1])
        if (self._kind, self._token) == ("sign", "("):
            self._next()
            return Call(text, self._items(")"))
        return Name(text)

    def _items(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while (self._kind, self._token) != ("sign", end):
            if items:
                self._expect(",")
            items.append(self._operation(1))
        self._next()
        return tuple(items)

    def _expect(self, sign: str) -> None:
        if (self._kind, self._token) != ("sign", sign):
            raise self._unexpected(f", where {sign!r} should be")
        self._next()

    def _unexpected(self, instead: str = "") -> InvalidInput:
        found = f"{self._token!r} is not expected" if self._kind else "it ends too early"
        return wrong(self._expression, found + instead)
