"""Reads the input of an operation as its shape describes it, and says all that is wrong with it.

What a protocol cannot mean (a text for a number) is a SerializationException at once; what breaks a
limit is gathered, so that one answer names everything, in the words that AWS has for it.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from parkade.apps.wire import patterns
from parkade.apps.wire.faults import Fault, invalid, malformed
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parkade.apps.wire.description import Shape

#: Of a value that is told back, and of the errors that one answer tells: more helps nobody.
VALUE_TOLD = 256
ERRORS_TOLD = 20

_WHOLE = {"integer": 2**31, "long": 2**63}
_KINDS: Mapping[type, str] = {
    str: "STRING_VALUE",
    int: "NUMBER_VALUE",
    float: "NUMBER_VALUE",
    bool: "TRUE_OR_FALSE_VALUE",
    dict: "START_OBJECT",
    list: "START_ARRAY",
    type(None): "NULL_VALUE",
}
_WANTED = {"structure": "an object", "map": "an object", "list": "a list", "string": "a text",
           "boolean": "true or false", "integer": "a whole number", "long": "a whole number",
           "float": "a number", "double": "a number",
           "timestamp": "a number of seconds since 1970"}  # fmt: skip


def read(
    shape: Shape,
    given: object,
    *,
    known: Mapping[str, frozenset[str]],
    any_double: bool = False,
) -> dict[str, Any]:
    """Return the input without what is null, timestamps as instants.

    `known` has the members, by shapes' names, that somebody has looked at; others are refused.
    With `any_double`, doubles may be infinite or no number, for the operation to judge. Raises
    SerializationException, and ValidationException that names every member at fault.
    """
    reading = _Reading(known, any_double=any_double)
    values: dict[str, Any] = reading.value(shape, given, "")
    if reading.errors:
        raise _explained(reading.errors)
    return values


def _explained(errors: list[str]) -> Fault:
    count = len(errors)
    noun = "error" if count == 1 else "errors"
    more = f"; and {count - ERRORS_TOLD} more" if count > ERRORS_TOLD else ""
    told = "; ".join(errors[:ERRORS_TOLD])
    return invalid(f"{count} validation {noun} detected: {told}{more}")


class _Reading:
    """One walk over a value and its shape."""

    def __init__(self, known: Mapping[str, frozenset[str]], *, any_double: bool) -> None:
        self.errors: list[str] = []
        self._known = known
        self._any_double = any_double

    def value(self, shape: Shape, given: object, path: str) -> Any:
        """Return a value as its shape wants it."""
        match shape.type_name:
            case "structure":
                return self._structure(shape, _typed(dict, given, shape, path), path)
            case "map":
                return self._map(shape, _typed(dict, given, shape, path), path)
            case "list":
                return self._list(shape, _typed(list, given, shape, path), path)
            case "string":
                return self._text(shape, _typed(str, given, shape, path), path)
            case "boolean":
                return _typed(bool, given, shape, path)
            case "timestamp":
                return _instant(given, shape, path)
            case "double" if self._any_double and type(given) is float:
                return given
            case _:
                return self._sized(shape, _number(given, shape, path), path)

    def _structure(self, shape: Shape, given: dict[str, Any], path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        known = self._known.get(shape.name, shape.members.keys())
        for name, value in given.items():
            place = _below(path, name)
            if name not in shape.members:
                hint = suggestion(name, shape.members) or "see botocore's description of it"
                self._err(name, place, f"Member must be one that is known; {hint}")
            elif value is not None and name not in known:
                self._err(name, place, "Member must be one that is known; it is newer than Parkade")
            elif value is not None:
                found[name] = self.value(shape.members[name], value, place)
        for name in shape.required_members:
            if given.get(name) is None:
                self._err(None, _below(path, name), "Member must not be null")
        return found

    def _map(self, shape: Shape, given: dict[str, Any], path: str) -> dict[str, Any]:
        self._length(shape, given, path, "entries")
        found: dict[str, Any] = {}
        for key, value in given.items():
            _require_text(key, path)
            for constraint in _constraints(shape.key, key):
                self._err(key, path, f"Map keys must satisfy constraint: [{constraint}]")
            if value is None:
                self._err(None, f"{path}.{key}", "Member must not be null")
            elif shape.value.type_name == "string":
                found[key] = self._entry(shape.value, value, path)
            else:
                found[key] = self.value(shape.value, value, f"{path}.{key}.member")
        return found

    def _entry(self, shape: Shape, given: object, path: str) -> str:
        text: str = _typed(str, given, shape, path)
        _require_text(text, path)
        for constraint in _constraints(shape, text):
            self._err(text, path, f"Map value must satisfy constraint: [{constraint}]")
        return text

    def _list(self, shape: Shape, given: list[Any], path: str) -> list[Any]:
        self._length(shape, given, path, "items")
        found: list[Any] = []
        for number, value in enumerate(given, 1):
            place = f"{path}.{number}.member"
            if value is None:
                self._err(None, place, "Member must not be null")
            else:
                found.append(self.value(shape.member, value, place))
        return found

    def _text(self, shape: Shape, given: str, path: str) -> str:
        _require_text(given, path)
        for constraint in _constraints(shape, given):
            self._err(given, path, constraint)
        return given

    def _sized(self, shape: Shape, given: float, path: str) -> float:
        limits = shape.metadata
        if "max" in limits and given > limits["max"]:
            self._err(given, path, f"Member must have value less than or equal to {limits['max']}")
        if "min" in limits and given < limits["min"]:
            least = limits["min"]
            self._err(given, path, f"Member must have value greater than or equal to {least}")
        return given

    def _length(self, shape: Shape, given: Any, path: str, noun: str) -> None:
        for constraint in _lengths(shape, given):
            self._err(f"{len(given)} {noun}", path, constraint)

    def _err(self, value: object, path: str, constraint: str) -> None:
        told = "null" if value is None else f"'{_told(value)}'"
        self.errors.append(f"Value {told} at '{path}' failed to satisfy constraint: {constraint}")


def _constraints(shape: Shape, text: str) -> Iterator[str]:
    """Give what a text breaks, in AWS's words."""
    yield from _lengths(shape, text)
    limits = shape.metadata
    if "enum" in limits and text not in limits["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]"
    if "pattern" in limits and not patterns.matches(limits["pattern"], text):
        yield f"Member must satisfy regular expression pattern: {limits['pattern']}"


def _lengths(shape: Shape, given: Any) -> Iterator[str]:
    limits = shape.metadata
    if "max" in limits and len(given) > limits["max"]:
        yield f"Member must have length less than or equal to {limits['max']}"
    if "min" in limits and len(given) < limits["min"]:
        yield f"Member must have length greater than or equal to {limits['min']}"


def _typed(wanted: type, given: Any, shape: Shape, path: str) -> Any:
    if not isinstance(given, wanted):
        raise _mistyped(given, shape, path)
    return given


def _number(given: Any, shape: Shape, path: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not _finite(given):
        raise _mistyped(given, shape, path)
    limit = _WHOLE.get(shape.type_name)
    if limit is None:
        return given
    if given != int(given) or not -limit <= given < limit:
        raise _mistyped(given, shape, path)
    return int(given)


def _finite(given: float) -> bool:
    try:
        return math.isfinite(given)
    except OverflowError:  # a whole number beyond all floats
        return False


def _instant(given: Any, shape: Shape, path: str) -> datetime:
    if isinstance(given, datetime):  # what the protocol has read already
        return given
    seconds = _number(given, shape, path)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise malformed(f"{seconds} is not a time, at '{path}'") from error


def _mistyped(given: object, shape: Shape, path: str) -> Fault:
    kind = _KINDS.get(type(given), "UNKNOWN_VALUE")
    told = f" {_told(given)}" if isinstance(given, int | float) else ""
    return malformed(
        f"{kind}{told} can not be converted to {shape.type_name.capitalize()}: "
        f"{_place(path)} must be {_WANTED[shape.type_name]}"
    )


def _require_text(text: str, path: str) -> None:
    """Refuse what JSON can spell and no text can hold: half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise malformed(f"a text holds half a surrogate pair, at {_place(path)}") from error


def _place(path: str) -> str:
    return f"'{path}'" if path else "the body"


def _below(path: str, name: str) -> str:
    """Return the place of a member, as AWS writes it: `primaryContainer.image`."""
    lower = name[:1].lower() + name[1:VALUE_TOLD]
    return f"{path}.{lower}" if path else lower


def _told(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= VALUE_TOLD else f"{text[:VALUE_TOLD]}..."
