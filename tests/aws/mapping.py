"""What mapping templates and parameter mappings refer to: `$input`, `$context`, `$util` and theirs."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, unquote_plus

from tests.aws.vtl import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\[['\"]([^'\"]+)['\"]\]")
_ESCAPES = {'"': '\\"', "'": "\\'", "\\": "\\\\", "/": "\\/", "\n": "\\n", "\r": "\\r"}
_ESCAPES |= {"\t": "\\t", "\b": "\\b", "\f": "\\f"}


def found_by(path: str, document: Any) -> Any:
    """Return what a JSON path leads to: names and indexes, which is all that is used here."""
    assert path.startswith("$"), path
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        assert match is not None, f"{path!r} has more than names and indexes"
        at = match.end()
        name, index, quoted = match.groups()
        if index is not None:
            document = document[int(index)] if isinstance(document, list) else MISSING
        else:
            document = document.get(name or quoted) if isinstance(document, dict) else MISSING
        if document is MISSING or document is None:
            return None
    return document


@dataclass
class Input:
    """`$input`: the body, and the parameters of a request."""

    body: str
    path_parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    vtl = True

    def _document(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body or None

    def json(self, path: str) -> str:
        return json.dumps(found_by(path, self._document()), separators=(",", ":"))

    def path(self, path: str) -> Any:
        return found_by(path, self._document())

    def params(self, name: str | None = None) -> Any:
        """Return one parameter, looked for in path, query and headers; or all, by kind."""
        kinds = {"path": self.path_parameters, "querystring": self.query, "header": self.headers}
        if name is None:
            return {kind: dict(values) for kind, values in kinds.items()}
        return next((values[name] for values in kinds.values() if name in values), "")


class Util:
    """`$util`."""

    vtl = True

    def escapeJavaScript(self, text: object) -> str:  # noqa: N802 - API Gateway's name
        # Slashes are escaped by Java's method, which API Gateway's answers do not show.
        plain = {**_ESCAPES, "/": "/"}
        return "".join(plain.get(each, each) for each in str("" if text is None else text))

    def base64Encode(self, text: str) -> str:  # noqa: N802
        return base64.b64encode(text.encode()).decode()

    def base64Decode(self, text: str) -> str:  # noqa: N802
        return base64.b64decode(text).decode()

    def urlEncode(self, text: str) -> str:  # noqa: N802
        return quote_plus(text)

    def urlDecode(self, text: str) -> str:  # noqa: N802
        return unquote_plus(text)

    def parseJson(self, text: str) -> Any:  # noqa: N802
        return json.loads(text)


def variables(
    *,
    body: str = "",
    context: Mapping[str, Any] | None = None,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    stage: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return all that a mapping template may refer to."""
    return {
        "input": Input(body, path or {}, query or {}, headers or {}),
        "context": dict(context or {}),
        "util": Util(),
        "stageVariables": dict(stage or {}),
    }
