"""Mapping templates: the part of Velocity that API Gateway's are written in.

`#set`, `#if` with `#elseif` and `#else`, `#foreach`, comments, references with properties, methods
and indexes, and expressions. What is not known here raises `TemplateFault`: a template that says
something else is to be seen, not guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_OPERATORS = ("||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*")
_STRENGTH = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<=": 4, ">=": 4, "<": 4, ">": 4, "+": 5, "-": 5}
_STRENGTH["*"] = 6


class TemplateFault(Exception):
    """A template cannot be read, or asks for what is not there."""


class _Missing:
    """What a reference to nothing is."""


MISSING = _Missing()

_TEXT_METHODS: dict[str, Callable[..., Any]] = {
    "contains": lambda text, part: part in text,
    "endsWith": str.endswith,
    "equals": lambda text, other: text == other,
    "equalsIgnoreCase": lambda text, other: text.lower() == str(other).lower(),
    "indexOf": str.find,
    "isEmpty": lambda text: not text,
    "length": len,
    "matches": lambda text, pattern: re.fullmatch(pattern, text) is not None,
    "replace": str.replace,
    "replaceAll": lambda text, pattern, by: re.sub(
        pattern, re.sub(r"\$(\d)", r"\\\1", by.replace("\\", "\\\\")), text
    ),
    "split": lambda text, pattern: re.split(pattern, text),
    "startsWith": str.startswith,
    "substring": lambda text, start, end=None: text[start:end],
    "toLowerCase": str.lower,
    "toString": str,
    "toUpperCase": str.upper,
    "trim": str.strip,
}
_MAP_METHODS: dict[str, Callable[..., Any]] = {
    "containsKey": lambda held, key: key in held,
    "entrySet": lambda held: [{"key": key, "value": value} for key, value in held.items()],
    "get": lambda held, key: held.get(key),
    "isEmpty": lambda held: not held,
    "keySet": list,
    "put": lambda held, key, value: held.__setitem__(key, value),
    "size": len,
}
_LIST_METHODS: dict[str, Callable[..., Any]] = {
    "add": lambda held, value: held.append(value) or True,
    "contains": lambda held, value: value in held,
    "get": lambda held, index: held[index],
    "isEmpty": lambda held: not held,
    "size": len,
}


@dataclass
class _Reader:
    """Reads a template and says what it comes to, as it goes."""

    text: str
    names: dict[str, Any]
    at: int = 0
    #: Whether what is read now counts: not in a branch that is not taken.
    live: bool = True

    # -- text --------------------------------------------------------------------------------

    def block(self, *ends: str) -> tuple[str, str]:
        """Read until one of these directives, or the end; return what was written, and which."""
        out: list[str] = []
        while self.at < len(self.text):
            if self.text.startswith("##", self.at):
                line = self.text.find("\n", self.at)
                self.at = len(self.text) if line < 0 else line + 1
            elif self.text.startswith("#*", self.at):
                self.at = self.text.index("*#", self.at) + 2
            elif self.text[self.at] == "#" and (found := self._directive(ends, out)) is not None:
                if found:
                    return "".join(out), found
            elif self.text[self.at] == "$" and self._begins_reference():
                start = self.at
                value, quiet = self.reference()
                if value is MISSING or value is None:
                    out.append("" if quiet or not self.live else self.text[start : self.at])
                else:
                    out.append(shown(value))
            else:
                out.append(self.text[self.at])
                self.at += 1
        if ends:
            raise TemplateFault(f"no {' or '.join(ends)} until the end")
        return "".join(out), ""

    def _directive(self, ends: tuple[str, ...], out: list[str]) -> str | None:
        """Carry one out. None: there is none here; "": done; else the end that was met."""
        match = re.compile(r"#\{?(set|if|elseif|else|end|foreach|return)\}?").match(
            self.text, self.at
        )
        if match is None:
            return None
        name = match[1]
        if name in ends:
            self.at = match.end()
            return name
        if name in {"elseif", "else", "end"}:
            raise TemplateFault(f"#{name} without its #if")
        self.at = match.end()
        {"set": self._set, "if": self._if, "foreach": self._foreach}[name](out)
        # A directive that ends its line takes the line's end with it.
        if self.text.startswith("\n", self.at):
            self.at += 1
        return ""

    def _set(self, out: list[str]) -> None:
        self._expect("(")
        self._expect("$")
        braces = self._take("{")
        name = self._name()
        keys: list[str] = []
        while self._take("."):
            keys.append(self._name())
        if braces:
            self._expect("}")
        self._expect("=")
        value = self.expression()
        self._expect(")")
        if not self.live:
            return
        if not keys:
            self.names[name] = value
            return
        held = self.names[name]
        for key in keys[:-1]:
            held = held[key]
        held[keys[-1]] = value

    def _if(self, out: list[str]) -> None:
        self._expect("(")
        taken = truth(self.expression())
        self._expect(")")
        live, done = self.live, False
        while True:
            self.live = live and taken and not done
            self._here("\n")
            written, end = self.block("elseif", "else", "end")
            out.append(written if self.live else "")
            done = done or taken
            self.live = live
            if end == "end":
                return
            taken = True
            if end == "elseif":
                self._expect("(")
                taken = truth(self.expression())
                self._expect(")")

    def _foreach(self, out: list[str]) -> None:
        self._expect("(")
        self._expect("$")
        name = self._name()
        self._expect("in")
        given = self.expression()
        self._expect(")")
        self._here("\n")
        start, live = self.at, self.live
        values = list(given.values() if isinstance(given, dict) else given or []) if live else []
        for n, value in enumerate(values):
            self.at = start
            self.names[name] = value
            last = n == len(values) - 1
            self.names["foreach"] = {"index": n, "count": n + 1, "hasNext": not last}
            out.append(self.block("end")[0])
        if not values:
            self.live = False
            self.block("end")
            self.live = live

    # -- references --------------------------------------------------------------------------

    def _begins_reference(self) -> bool:
        return re.compile(r"\$!?\{?[A-Za-z_]").match(self.text, self.at) is not None

    def reference(self) -> tuple[Any, bool]:
        """Return what a reference refers to, and whether it is to be quiet about nothing."""
        self.at += 1
        quiet = self._here("!")
        braces = self._here("{")
        name = self._name(skips=False)
        value = self.names.get(name, MISSING)
        while True:
            if re.compile(r"\.[A-Za-z_]").match(self.text, self.at):
                self.at += 1
                value = self._member(value, self._name(skips=False))
            elif self._here("["):
                key = self.expression()
                self._expect("]")
                value = _item(value, key)
            else:
                break
        if braces:
            self._expect("}")
        return value, quiet

    def _member(self, value: Any, name: str) -> Any:
        if not self._here("("):
            return _item(value, name)
        given = []
        while not self._take(")"):
            given.append(self.expression())
            self._take(",")
        if not self.live or value is MISSING or value is None:
            return MISSING
        kinds = ((str, _TEXT_METHODS), (dict, _MAP_METHODS), (list, _LIST_METHODS))
        methods = next((known for kind, known in kinds if isinstance(value, kind)), {})
        if name in methods:
            return methods[name](value, *given)
        found = getattr(value, name, None) if hasattr(value, "vtl") else None
        if found is None:
            raise TemplateFault(f"there is no method {name} of {value!r}")
        return found(*given)

    # -- expressions -------------------------------------------------------------------------

    def expression(self, strength: int = 0) -> Any:
        left = self._operand()
        while True:
            self._blank()
            found = next((each for each in _OPERATORS if self.text.startswith(each, self.at)), None)
            if found is None or _STRENGTH[found] <= strength:
                return left
            self.at += len(found)
            left = _applied(found, left, self.expression(_STRENGTH[found]), live=self.live)

    def _operand(self) -> Any:
        self._blank()
        first = self.text[self.at : self.at + 1]
        if first == "$":
            return self.reference()[0]
        if first in {'"', "'"}:
            return self._quoted(first)
        if first == "(":
            self.at += 1
            value = self.expression()
            self._expect(")")
            return value
        if first == "!":
            self.at += 1
            return not truth(self._operand())
        if first == "[":
            return self._list()
        if first == "{":
            return self._map()
        if match := _NUMBER.match(self.text, self.at):
            self.at = match.end()
            return float(match[0]) if match[1] else int(match[0])
        word = self._name()
        if word in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[word]
        raise TemplateFault(f"{word!r} is no expression")

    def _quoted(self, mark: str) -> str:
        end = self.text.index(mark, self.at + 1)
        while self.text.startswith(mark, end + 1):  # doubled: the mark itself
            end = self.text.index(mark, end + 2)
        raw = self.text[self.at + 1 : end].replace(mark * 2, mark)
        self.at = end + 1
        if mark == "'":
            return raw
        return _Reader(raw, self.names, live=self.live).block()[0]

    def _list(self) -> list[Any]:
        self._expect("[")
        found = []
        while not self._take("]"):
            found.append(self.expression())
            self._take(",")
        return found

    def _map(self) -> dict[str, Any]:
        self._expect("{")
        found = {}
        while not self._take("}"):
            key = self.expression()
            self._expect(":")
            found[key] = self.expression()
            self._take(",")
        return found

    # -- characters --------------------------------------------------------------------------

    def _blank(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _here(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def _take(self, mark: str) -> bool:
        self._blank()
        return self._here(mark)

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise TemplateFault(f"{mark!r} is missing before {self.text[self.at : self.at + 30]!r}")

    def _name(self, *, skips: bool = True) -> str:
        if skips:
            self._blank()
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise TemplateFault(f"a name is missing at {self.text[self.at : self.at + 30]!r}")
        self.at = match.end()
        return match[0]


def _item(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(key, MISSING)
    if isinstance(value, list) and isinstance(key, int):
        return value[key]
    if hasattr(value, "vtl"):
        return getattr(value, str(key), MISSING)
    return MISSING


def _applied(sign: str, left: Any, right: Any, *, live: bool) -> Any:
    if sign == "||":
        return truth(left) or truth(right)
    if sign == "&&":
        return truth(left) and truth(right)
    left, right = (None if each is MISSING else each for each in (left, right))
    if sign in {"==", "!="}:
        same = left == right or (left is not None and right is not None and str(left) == str(right))
        return same == (sign == "==")
    if not live:
        return None
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        return f"{shown(left)}{shown(right)}"
    operations: dict[str, Callable[[Any, Any], Any]] = {
        "<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b,
        ">=": lambda a, b: a >= b, "+": lambda a, b: a + b, "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
    }  # fmt: skip
    return operations[sign](left, right)


def truth(value: Any) -> bool:
    """Tell what a condition says: nothing, false, and what is empty, are not true."""
    return value not in (None, False, "", 0) and value is not MISSING and value not in ([], {})


def shown(value: Any) -> str:
    """Write a value as a template does: maps and lists as Java has them, and not as JSON."""
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(shown(each) for each in value) + "]"
    return "" if value is None else str(value)


@dataclass
class Names:
    """Something whose members and methods templates may use."""

    members: dict[str, Any] = field(default_factory=dict)
    vtl = True

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["members"].get(name, MISSING)


def render(template: str, names: Mapping[str, Any]) -> str:
    """Return what a template comes to."""
    return _Reader(template, dict(names)).block()[0]
