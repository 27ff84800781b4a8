"""Smithy's RPC v2: the operation in the path, CBOR in the bodies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import cbor2
from starlette.responses import Response

from parkade.apps.wire.faults import Fault, malformed, query_error
from parkade.apps.wire.shaping import seconds, shaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.wire.description import Operation, Shape

#: The header that names the protocol, and what it says here.
HEADER, NAME = "smithy-protocol", "rpc-v2-cbor"
_MEDIA_TYPE = "application/cbor"
_INSTANT = 1
#: Structures of these operations are flatter by far.
_DEPTH = 32


def _refuse(_decoder: object) -> NoReturn:
    raise ValueError("an instant is the only tagged value that there is")


#: All that the library would make something of, some of it at great expense: numbers of any
#: length, patterns, values that hold themselves ...
_REFUSED = dict.fromkeys([0, *range(_INSTANT + 1, 1100), 43000, 55799], _refuse)


class RpcCbor:
    """The protocol."""

    def read(self, _shape: Shape, body: bytes) -> object:
        """Return what the body holds."""
        if not body:
            return {}
        try:
            found = cbor2.loads(
                body,
                max_depth=_DEPTH,
                strict_hashable_types=True,
                semantic_decoders=_REFUSED,
            )
            _require_plain(found)
        except (cbor2.CBORError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
            raise malformed(f"The body is not valid CBOR: {error}") from error
        return found

    def answer(
        self, _name: str, operation: Operation, values: Mapping[str, Any], request_id: str
    ) -> Response:
        """Return the answer of an operation; one without output has an empty map."""
        shape = operation.output_shape
        content = {} if shape is None else shaped(shape, values, _tagged)
        return _response(200, content, {"x-amzn-RequestId": request_id})

    def fault(self, fault: Fault, code: str, request_id: str) -> Response:
        """Return the answer that tells a fault."""
        headers = {"x-amzn-RequestId": request_id, "x-amzn-query-error": query_error(fault, code)}
        content = {"__type": fault.code, "message": fault.message}
        return _response(fault.status, content, headers)


def _require_plain(value: object) -> None:
    """Refuse what CBOR can hold and no input has: sets, bytes, keys that are no texts ..."""
    match value:
        case dict():
            for key, each in value.items():
                if not isinstance(key, str):
                    raise malformed("The body has a map whose keys are not all texts")
                _require_plain(each)
        case list():
            for each in value:
                _require_plain(each)
        case datetime() if value.tzinfo is not None and value.utcoffset() == UTC.utcoffset(None):
            pass
        case None | bool() | int() | float() | str():
            pass
        case _:
            raise malformed(f"The body has a {type(value).__name__}, which no member can be")


def _tagged(instant: datetime | float) -> cbor2.CBORTag:
    return cbor2.CBORTag(_INSTANT, seconds(instant))


def _response(status: int, content: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    return Response(
        cbor2.dumps(content), status, headers={HEADER: NAME, **headers}, media_type=_MEDIA_TYPE
    )
