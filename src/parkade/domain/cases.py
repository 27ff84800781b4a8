"""A model's own cases, `test/input_data.json`: what is sent, and what has to come back.

The file is a list of `{"id", "input", "expected"}`. `content_type` is JSON unless it says otherwise;
then the input is a text, sent as it is. `tolerance`, `fields` and `ignore` say when an answer that
is not equal to `expected` will do; see `comparing`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.domain.comparing import answers, fields
from parkade.domain.comparing.answers import STRICT, Comparison, Difference, Rules
from parkade.domain.comparing.tolerance import Tolerance
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.comparing.reading import Body

#: Where a model folder has its cases.
FILE = "test/input_data.json"
JSON = "application/json"
_NEEDED = frozenset({"id", "input", "expected"})
_KNOWN = _NEEDED | {"content_type", "tolerance", "fields", "ignore"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One of them."""

    id: str
    input: Any
    expected: Any
    content_type: str = JSON
    rules: Rules = STRICT

    @property
    def body(self) -> bytes:
        """What is sent."""
        text = json.dumps(self.input) if _is_json(self.content_type) else self.input
        return str(text).encode()

    @property
    def sentence(self) -> str:
        """The input as people are shown it."""
        value = self.input
        if isinstance(value, dict):
            value = value.get("sentence", value)
        return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a case went: the answer, and where it is not as expected."""

    case: Case
    status: int
    answer: Body
    comparison: Comparison

    @property
    def passed(self) -> bool:
        """Whether the answer is a success, and as expected."""
        return 200 <= self.status < 300 and self.comparison.agrees

    @property
    def text(self) -> str:
        """The answer as a text."""
        return self.answer.data.decode(errors="replace")

    def __str__(self) -> str:
        """Say in a line what is wrong; empty: nothing."""
        if 200 <= self.status < 300:
            return str(self.comparison)
        return f"status {self.status}: {answers.printable(self.text[: answers.SHOWN])}"


def judge(case: Case, status: int, answer: Body) -> Outcome:
    """Compare an answer with what the case expects."""
    if not 200 <= status < 300:
        refused = Difference("$", answers.shown(case.expected), f"status {status}")
        comparison = Comparison(differences=(refused,), counts={"$": 1})
    else:
        comparison = answers.compare_value(case.expected, answer, case.rules)
    return Outcome(case=case, status=status, answer=answer, comparison=comparison)


def read(text: str | bytes, *, name: str = FILE) -> tuple[Case, ...]:
    """Read the cases of a file that is called `name`. Raises InvalidInput, naming the case."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{name} is not usable JSON: {error}", field="cases") from error
    return of(entries, name=name)


def of(entries: Any, *, name: str = FILE) -> tuple[Case, ...]:
    """Return the cases of a value of JSON that is called `name`. Raises InvalidInput."""
    if not isinstance(entries, list | tuple) or not entries:
        raise InvalidInput(
            f"{name} is not a list of cases",
            field="cases",
            hint='write a JSON list of {"id", "input", "expected"}',
        )
    cases = tuple(_case(entry, f"{name}, case {n}") for n, entry in enumerate(entries, start=1))
    twice = [each for each, count in Counter(each.id for each in cases).items() if count > 1]
    if twice:
        raise InvalidInput(f"{name} has two cases with the id {twice[0]!r}", field="cases")
    return cases


def _case(entry: Any, where: str) -> Case:
    if not isinstance(entry, dict) or not _NEEDED <= entry.keys() <= _KNOWN:
        raise InvalidInput(
            f"{where}: a case has id, input, expected; and it may have content_type, tolerance, "
            "fields and ignore",
            field="cases",
        )
    content_type = entry.get("content_type", JSON)
    if not isinstance(entry["id"], str | int) or not isinstance(content_type, str):
        raise InvalidInput(f"{where}: id and content_type are texts", field="cases")
    if not _is_json(content_type) and not isinstance(entry["input"], str):
        raise InvalidInput(f"{where}: an input of {content_type} is a text", field="cases")
    return Case(
        id=str(entry["id"]),
        input=entry["input"],
        expected=entry["expected"],
        content_type=content_type,
        rules=_rules(entry, where),
    )


def _rules(entry: Mapping[str, Any], where: str) -> Rules:
    try:
        return Rules(
            fields=fields.read_all(entry.get("fields", ()), field="fields"),
            ignored=fields.read_all(entry.get("ignore", ()), field="ignore"),
            tolerance=Tolerance.read(entry.get("tolerance", 0), field="tolerance"),
        )
    except InvalidInput as error:
        raise InvalidInput(
            f"{where}: {error.message}", field=error.field, hint=error.hint
        ) from error


def _is_json(content_type: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
    return media == JSON or media.endswith("+json")
