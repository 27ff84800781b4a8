"""Makes values of bodies: what two answers say is compared, and not how they spell it.

A body that is not what its content type says is read as the text, or the bytes, that it is: so it
equals itself, and differs from all that can be read.
"""

from __future__ import annotations

import csv
import json
import re
from enum import StrEnum
from typing import Any, NamedTuple

_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE | re.ASCII
)
_INTEGER = re.compile(r"[+-]?\d{1,4000}", re.ASCII)
_LINES = frozenset({"application/jsonlines", "application/x-ndjson", "application/x-jsonlines"})


class Form(StrEnum):
    """How a body is read."""

    #: Not at all: the bytes count.
    EXACT = "exact"
    JSON = "json"
    JSONLINES = "jsonlines"
    CSV = "csv"
    TEXT = "text"


class Body(NamedTuple):
    """The bytes of an answer, and the content type it came with; empty: none."""

    data: bytes
    content_type: str = "application/json"

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()


def form_of(body: Body) -> Form | None:
    """Return the form that the content type names; None: it names none that can be read."""
    media = body.media_type
    if media == "application/json" or media.endswith("+json"):
        return Form.JSON
    if media in _LINES:
        return Form.JSONLINES
    if media in {"text/csv", "application/csv"}:
        return Form.CSV
    return Form.TEXT if media.startswith("text/") else None


def value_of(data: bytes, form: Form) -> Any:
    """Return what the bytes say in this form; the text, or the bytes, where they are not of it."""
    if form is Form.EXACT:
        return data
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data
    try:
        return _READERS[form](text)
    except (ValueError, RecursionError, csv.Error):
        return text


def of_text(text: str) -> Any:
    """Return the number that a text is, or the text."""
    bare = text.strip()
    if _INTEGER.fullmatch(bare):
        return int(bare)
    return float(bare) if _NUMBER.fullmatch(bare) else text


def _json(text: str) -> Any:
    return json.loads(text)


def _jsonlines(text: str) -> Any:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _csv(text: str) -> Any:
    return [[of_text(cell) for cell in row] for row in csv.reader(text.splitlines()) if row]


_READERS = {Form.JSON: _json, Form.JSONLINES: _jsonlines, Form.CSV: _csv, Form.TEXT: of_text}
