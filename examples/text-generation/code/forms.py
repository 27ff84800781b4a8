"""The two forms of a request and of its answer, checked field by field.

{"inputs": "...", "parameters": {"max_new_tokens": 20}}        -> [{"generated_text": "..."}]
{"text_inputs": "...", "max_length": 50, "temperature": 0.0}   -> {"generated_texts": ["..."]}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: A worker serves one request after the other, so one must not ask for everything.
MOST_TOKENS = 4096
MOST_SEQUENCES = 16


class BadInput(ValueError):
    """The caller's mistake; the container answers with this status."""

    status_code = 400


@dataclass(frozen=True)
class Prompt:
    """A checked request. `options` has only the fields that were given."""

    text: str
    options: dict[str, Any]
    falcon: bool

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken each time: always, unless sampling is asked for."""
        if self.options.get("temperature") == 0:
            return True
        asked = bool(self.options.keys() & {"temperature", "top_k", "top_p"})
        return not self.options.get("do_sample", asked)


def parse(body: str | bytes) -> Prompt:
    """Return the request in either form. Raises BadInput that names the field at fault."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise BadInput(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict) or len(value.keys() & {"inputs", "text_inputs"}) != 1:
        raise BadInput(
            'send {"inputs": "...", "parameters": {...}} or {"text_inputs": "...", "max_length": 50}'
        )
    return _falcon(value) if "inputs" in value else _flan(value)


def answer(prompt: Prompt, texts: list[str]) -> str:
    """Return the answer in the form of the request."""
    if not prompt.falcon:
        return json.dumps({"generated_texts": texts})
    before = prompt.text if prompt.options.get("return_full_text") else ""
    return json.dumps([{"generated_text": before + text} for text in texts])


def _falcon(value: Mapping[str, Any]) -> Prompt:
    _known(value, {"inputs", "parameters"})
    parameters = value.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise BadInput("parameters is not a JSON object")
    return Prompt(_text(value, "inputs"), _options(parameters), falcon=True)


def _flan(value: Mapping[str, Any]) -> Prompt:
    options = {name: field for name, field in value.items() if name != "text_inputs"}
    if "return_full_text" in options:
        raise BadInput("return_full_text belongs to the form with inputs and parameters")
    return Prompt(_text(value, "text_inputs"), _options(options), falcon=False)


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value[name]
    if not isinstance(text, str) or not text:
        raise BadInput(f"{name} is not a text, or is empty")
    return text


def _options(value: Mapping[str, Any]) -> dict[str, Any]:
    _known(value, set(_CHECKS))
    # null is as good as leaving a field out.
    given = {name: field for name, field in value.items() if field is not None}
    if {"max_length", "max_new_tokens"} <= given.keys():
        raise BadInput("give max_length or max_new_tokens, not both")
    return {name: _CHECKS[name](name, field) for name, field in given.items()}


def _known(value: Mapping[str, Any], names: set[str]) -> None:
    unknown = sorted(value.keys() - names)
    if unknown:
        raise BadInput(f"{unknown[0]!r} is not known; known are {', '.join(sorted(names))}")


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadInput(f"{name} {value!r} is neither true nor false")
    return value


def _whole(least: int, most: int) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadInput(f"{name} {value!r} is not a whole number from {least} to {most}")
        return value

    return check


def _number(least: float, most: float) -> Callable[[str, Any], float]:
    def check(name: str, value: Any) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not least <= value <= most:
            raise BadInput(f"{name} {value!r} is not a number from {least} to {most}")
        return float(value)

    return check


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "do_sample": _boolean,
    "max_length": _whole(1, MOST_TOKENS),
    "max_new_tokens": _whole(1, MOST_TOKENS),
    "num_return_sequences": _whole(1, MOST_SEQUENCES),
    "return_full_text": _boolean,
    "seed": _whole(0, 2**32 - 1),
    "temperature": _number(0, 100),
    "top_k": _whole(1, 1_000_000),
    "top_p": _number(0, 1),
}
