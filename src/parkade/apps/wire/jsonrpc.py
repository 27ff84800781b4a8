"""awsJson 1.0 and 1.1: the operation in the header X-Amz-Target, JSON in the bodies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from starlette.responses import Response

from parkade.apps.wire.faults import Fault, malformed, query_error
from parkade.apps.wire.shaping import seconds, shaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.wire.description import Operation, Shape

#: How JSON spells the doubles that it has no numbers for.
_SPECIAL = {"NaN", "Infinity", "-Infinity"}


class JsonRpc:
    """The protocol; with `query`, of a service whose clients once spoke the query protocol."""

    def __init__(self, version: str, *, query: bool = False) -> None:
        self._media_type = f"application/x-amz-json-{version}"
        self._query = query

    def read(self, shape: Shape, body: bytes) -> object:
        """Return what the body holds."""
        if not body.strip():
            return {}
        try:
            return _special(shape, json.loads(body, parse_constant=_no_number))
        except (ValueError, RecursionError) as error:
            raise malformed(f"The body is not valid JSON: {error}") from error

    def answer(
        self, _name: str, operation: Operation, values: Mapping[str, Any], request_id: str
    ) -> Response:
        """Return the answer of an operation; one without output has an empty object."""
        shape = operation.output_shape
        content = {} if shape is None else shaped(shape, values, seconds)
        return self._response(200, content, {"x-amzn-RequestId": request_id})

    def fault(self, fault: Fault, code: str, request_id: str) -> Response:
        """Return the answer that tells a fault."""
        headers = {"x-amzn-RequestId": request_id}
        if self._query:
            headers["x-amzn-query-error"] = query_error(fault, code)
        content = {"__type": fault.code, "message": fault.message}
        return self._response(fault.status, content, headers)

    def _response(
        self, status: int, content: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Response:
        return Response(json.dumps(content), status, headers=headers, media_type=self._media_type)


def _special(shape: Shape, given: Any) -> Any:
    """Return the value with doubles in place of the texts that mean them."""
    match shape.type_name:
        case "structure" if isinstance(given, dict):
            return {
                name: _special(shape.members[name], value) if name in shape.members else value
                for name, value in given.items()
            }
        case "list" if isinstance(given, list):
            return [_special(shape.member, value) for value in given]
        case "double" if isinstance(given, str) and given in _SPECIAL:
            return float(given)
        case _:
            return given


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number of JSON")
