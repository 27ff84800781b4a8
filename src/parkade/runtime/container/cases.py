"""A model folder's own cases: `test/input_data.json`, run in this process without a server.

The file is a list of `{"id", "input", "expected"}`; with a `content_type` other than JSON the
input is a text that is sent as it is. They take the way of an invocation, from body to answer.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .defaults import media_type
from .messages import JSON, Answer, Request
from .script import BadModel, code_folder, load
from .streams import gathered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CASES = Path("test", "input_data.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line of the file."""

    id: str
    input: Any
    expected: Any
    content_type: str = JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """How one case went; `result` is the answer as text, `sentence` the input for people."""

    id: str
    passed: bool
    result: str
    expected: str
    sentence: str


def run(model_dir: Path, environ: Mapping[str, str]) -> Iterator[CaseResult]:
    """Load the model and run its cases one by one. Raises BadModel for an unusable folder."""
    cases = _read(model_dir / CASES)
    with _own_modules(code_folder(model_dir.resolve())):
        script = load(model_dir.resolve(), environ)
        for case in cases:
            yield _result(case, gathered(script.answer(_request(case))))


def _read(path: Path) -> list[Case]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadModel(
            f"the model folder has no {CASES}; write its cases there as a JSON list of "
            '{"id", "input", "expected"}'
        ) from error
    except ValueError as error:
        raise BadModel(f"{CASES} is not usable JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise BadModel(f"{CASES} is not a list of cases")
    return [_case(entry, number) for number, entry in enumerate(entries, start=1)]


def _case(entry: Any, number: int) -> Case:
    needed = {"id", "input", "expected"}
    known = {*needed, "content_type"}
    if not isinstance(entry, dict) or not needed <= entry.keys() <= known:
        raise BadModel(f"{CASES}, case {number}: a case has id, input, expected, and content_type")
    case = Case(**entry)
    if media_type(case.content_type) != JSON and not isinstance(case.input, str):
        raise BadModel(f"{CASES}, case {number}: an input of {case.content_type} is a text")
    return case


def _request(case: Case) -> Request:
    json_body = media_type(case.content_type) == JSON
    body = json.dumps(case.input) if json_body else case.input
    return Request(body.encode(), {b"content-type": case.content_type.encode()})


def _result(case: Case, answer: Answer) -> CaseResult:
    return CaseResult(
        id=case.id,
        passed=answer.status == 200 and _value(answer) == case.expected,
        result=answer.body.decode(errors="replace"),
        expected=json.dumps(case.expected),
        sentence=_sentence(case.input),
    )


def _value(answer: Answer) -> Any:
    """Return what the answer says; JSON that is none is a text, and equals no expected value."""
    text = answer.body.decode(errors="replace")
    try:
        return json.loads(text) if media_type(answer.content_type) == JSON else text
    except ValueError:
        return text


def _sentence(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("sentence", value)
    return value if isinstance(value, str) else json.dumps(value)


@contextmanager
def _own_modules(folder: Path) -> Iterator[None]:
    """Take the script and its neighbours out again, so that the next folder's are its own."""
    path = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]
