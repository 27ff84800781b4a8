"""Writes answers of JSON 1.1: what the output shape knows, and faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from parkade.apps.wire.shaping import seconds, shaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.wire.description import Shape
    from parkade.apps.wire.faults import Fault

_MEDIA_TYPE = "application/x-amz-json-1.1"


def answer(shape: Shape | None, values: Mapping[str, Any], request_id: str) -> Response:
    """Return the answer of an operation; one without output has an empty body, as at AWS."""
    content = json.dumps(shaped(shape, values, seconds)) if shape is not None else ""
    return _response(200, content, request_id)


def fault(error: Fault, request_id: str) -> Response:
    """Return the answer that tells a fault."""
    content = json.dumps({"__type": error.code, "message": error.message})
    return _response(error.status, content, request_id)


def _response(status: int, content: str, request_id: str) -> Response:
    return Response(
        content, status, headers={"x-amzn-RequestId": request_id}, media_type=_MEDIA_TYPE
    )
