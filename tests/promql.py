"""Reads the part of PromQL that dashboards are written in, and checks its types.

An expression that is not well formed, takes the rate of what is no range, or a quantile of what
has lost its buckets' bounds, raises Malformed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r'\s*(?:(?P<word>[a-zA-Z_:][\w:]*)|(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<span>\[(?:\d+[smhdw]|\$__rate_interval|\$__range)\])|(?P<sign>=~|!~|!=|[=(){},+*/<>-]))"
)
_OF_RANGES = {"rate", "increase"}
_AGGREGATIONS = {"sum", "max", "min", "avg"}


class Malformed(Exception):
    """An expression that Prometheus would refuse."""


@dataclass
class Parsed:
    """What an expression is, and asks for."""

    #: scalar, instant or range.
    kind: str
    #: Families with the labels that they are matched by.
    selectors: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    #: Labels that something is grouped by.
    grouped: set[str] = field(default_factory=set)
    #: Labels that are left; None: all that the family has.
    left: set[str] | None = None


def parse(text: str) -> Parsed:
    """Return what an expression asks for. Raises Malformed."""
    reader = _Reader(text)
    found = reader.expression()
    if reader.token != ("end", ""):
        raise Malformed(f"{text}: {reader.token[1]!r} is too much")
    if found.kind != "instant":
        raise Malformed(f"{text}: it is a {found.kind}, which cannot be drawn")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self.token = ("", "")
        self._next()

    def expression(self) -> Parsed:
        found = self._operand()
        while self.token[0] == "sign" and self.token[1] in "+-*/<>":
            self._next()
            other = self._operand()
            if "range" in {found.kind, other.kind}:
                raise self._wrong("a range is no operand")
            kinds = {found.kind, other.kind}
            found = Parsed(
                kind="instant" if "instant" in kinds else "scalar",
                selectors=found.selectors + other.selectors,
                grouped=found.grouped | other.grouped,
                left=found.left,
            )
        return found

    def _operand(self) -> Parsed:
        kind, text = self.token
        if kind == "number":
            self._next()
            return Parsed("scalar")
        if kind == "sign" and text == "(":
            return self._inner()
        if kind != "word":
            raise self._wrong(f"{text!r} is no operand")
        self._next()
        if text in _AGGREGATIONS:
            return self._aggregation()
        if text in _OF_RANGES:
            found = self._inner()
            if found.kind != "range":
                raise self._wrong(f"{text} of no range")
            found.kind = "instant"
            return found
        if text == "histogram_quantile":
            return self._quantile()
        return self._selector(text)

    def _inner(self) -> Parsed:
        self._sign("(")
        found = self.expression()
        self._sign(")")
        return found

    def _aggregation(self) -> Parsed:
        labels = set()
        if self.token == ("word", "by"):
            self._next()
            labels = self._labels()
        found = self._inner()
        if found.kind != "instant":
            raise self._wrong("an aggregation of no instant vector")
        if found.left is not None and not labels <= found.left:
            raise self._wrong("it is grouped by what is gone already")
        found.grouped |= labels
        found.left = labels
        return found

    def _labels(self) -> set[str]:
        self._sign("(")
        found = {self._word()}
        while self.token == ("sign", ","):
            self._next()
            found.add(self._word())
        self._sign(")")
        return found

    def _quantile(self) -> Parsed:
        self._sign("(")
        if self.token[0] != "number" or not 0 <= float(self.token[1]) <= 1:
            raise self._wrong("a quantile is 0 to 1")
        self._next()
        self._sign(",")
        found = self.expression()
        self._sign(")")
        if found.left is not None and "le" not in found.left:
            raise self._wrong("the bounds of the buckets are gone")
        if not all(name.endswith("_bucket") for name, _ in found.selectors):
            raise self._wrong("a quantile of no buckets")
        return found

    def _selector(self, name: str) -> Parsed:
        matchers: dict[str, str] = {}
        if self.token == ("sign", "{"):
            self._next()
            while self.token != ("sign", "}"):
                label = self._word()
                self._sign("=")
                kind, text = self.token
                if kind != "text":
                    raise self._wrong("a label is compared with a text")
                matchers[label] = text[1:-1]
                self._next()
                if self.token == ("sign", ","):
                    self._next()
            self._next()
        kind = "instant"
        if self.token[0] == "span":
            self._next()
            kind = "range"
        return Parsed(kind, selectors=[(name, matchers)])

    def _word(self) -> str:
        kind, text = self.token
        if kind != "word":
            raise self._wrong(f"{text!r} is no name")
        self._next()
        return text

    def _sign(self, sign: str) -> None:
        if self.token != ("sign", sign):
            raise self._wrong(f"{self.token[1]!r} is where {sign!r} is to be")
        self._next()

    def _next(self) -> None:
        if not self._text[self._place :].strip():
            self.token = ("end", "")
            return
        match = _TOKEN.match(self._text, self._place)
        if match is None:
            raise self._wrong("it cannot be read")
        self._place = match.end()
        self.token = (str(match.lastgroup), match[str(match.lastgroup)])

    def _wrong(self, why: str) -> Malformed:
        return Malformed(f"{self._text} at {self._place}: {why}")
