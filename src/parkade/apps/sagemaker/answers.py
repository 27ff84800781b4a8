"""Writes answers of JSON 1.1: what the output shape knows, and faults."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.sagemaker.description import Shape
    from parkade.apps.sagemaker.faults import Fault

_MEDIA_TYPE = "application/x-amz-json-1.1"


def answer(shape: Shape | None, values: Mapping[str, Any], request_id: str) -> Response:
    """Return the answer of an operation; one without output has an empty body, as at AWS."""
    content = json.dumps(shaped(shape, values)) if shape is not None else ""
    return _response(200, content, request_id)


def fault(error: Fault, request_id: str) -> Response:
    """Return the answer that tells a fault."""
    content = json.dumps({"__type": error.code, "message": error.message})
    return _response(error.status, content, request_id)


def shaped(shape: Shape, value: Any) -> Any:
    """Return what the shape knows of a value; an instant becomes seconds since 1970."""
    match shape.type_name:
        case "structure":
            return {
                name: shaped(member, value[name])
                for name, member in shape.members.items()
                if value.get(name) is not None
            }
        case "list":
            return [shaped(shape.member, each) for each in value]
        case "map":
            return {key: shaped(shape.value, each) for key, each in value.items()}
        case "timestamp":
            return _seconds(value)
        case _:
            return value


def _seconds(instant: datetime | float) -> float:
    """Return the form of an instant; AWS gives milliseconds."""
    return round(instant.timestamp() if isinstance(instant, datetime) else instant, 3)


def _response(status: int, content: str, request_id: str) -> Response:
    return Response(
        content, status, headers={"x-amzn-RequestId": request_id}, media_type=_MEDIA_TYPE
    )
