"""The cases of a tester: what is asked, and what is to be answered.

They are those of a model folder's `test/input_data.json`: a list of `{"id", "input", "expected"}`;
with a `content_type` other than JSON the input is a text that is sent as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.event import Json

JSON = "application/json"
#: A tester that asks more would not come round within any duration worth its while.
MOST_CASES = 10_000
#: Characters of an answer that are kept for people.
SHOWN = 300
_NEEDED = frozenset({"id", "input", "expected"})
_KNOWN = _NEEDED | {"content_type"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to ask."""

    id: str
    input: Json
    expected: Json
    content_type: str = JSON

    @property
    def body(self) -> bytes:
        """What is sent."""
        if is_json(self.content_type):
            return json.dumps(self.input).encode()
        return str(self.input).encode()

    def written(self) -> Mapping[str, Json]:
        """Write it as the file has it."""
        return {
            "id": self.id,
            "input": self.input,
            "expected": self.expected,
            "content_type": self.content_type,
        }


def exact(expected: Json, got: Json) -> str:
    """Tell that two JSON values are not the same; a number is not a truth value."""
    # Written down, for to Python 1 is True; numbers of one value are the same number.
    same = expected == got and _shape(expected) == _shape(got)
    return "" if same else "not what is expected"


def _shape(value: Any) -> Any:
    """Return where truth values are."""
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shape(each) for each in value]
    return isinstance(value, bool)


def parse(text: str | bytes, where: str) -> tuple[Case, ...]:
    """Return the cases of a file; `where` is what messages call it. Raises InvalidInput."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"{where} is not usable JSON: {error}") from error
    return cases(entries, where)


def cases(entries: Any, where: str) -> tuple[Case, ...]:
    """Return the cases of a list of JSON values. Raises InvalidInput that names the one."""
    if not isinstance(entries, list | tuple) or not entries:
        raise _wrong(f"{where} is not a list of cases")
    if len(entries) > MOST_CASES:
        raise _wrong(f"{where} has {len(entries)} cases; {MOST_CASES} are allowed")
    found = tuple(_case(entry, f"{where}, case {n}") for n, entry in enumerate(entries, 1))
    seen: set[str] = set()
    for each in found:
        if each.id in seen:
            raise _wrong(f"{where} has the case {each.id!r} twice")
        seen.add(each.id)
    return found


def _case(entry: Any, where: str) -> Case:
    if not isinstance(entry, dict) or not _NEEDED <= entry.keys() <= _KNOWN:
        raise _wrong(f"{where}: a case has id, input, expected, and maybe content_type")
    kind = entry.get("content_type", JSON)
    if not isinstance(kind, str) or not kind.isascii() or not kind.isprintable():
        raise _wrong(f"{where}: its content_type is not a text of ASCII")
    if not is_json(kind) and not isinstance(entry["input"], str):
        raise _wrong(f"{where}: an input of {kind} is a text")
    return Case(
        id=str(entry["id"]), input=entry["input"], expected=entry["expected"], content_type=kind
    )


def is_json(content_type: str) -> bool:
    """Tell whether a body of this type is JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == JSON or kind.endswith("+json")


def value(content_type: str, body: bytes) -> Json:
    """Return what an answer says; what is called JSON and is none is a text."""
    text = body.decode(errors="replace")
    if not is_json(content_type):
        return text
    try:
        told: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return told


def shown(told: Json) -> str:
    """Write a value for people, cut where it is long."""
    text = json.dumps(told, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 4] + " ..."


def _wrong(what: str) -> InvalidInput:
    return InvalidInput(
        what,
        field="cases",
        hint='write a JSON list of {"id", "input", "expected"}, as in test/input_data.json',
    )
