"""AWS's query protocol: a form in the request, XML in the answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.responses import Response

from parkade.apps.storage import xml
from parkade.apps.wire.faults import Fault, malformed, sender
from parkade.apps.wire.shaping import shaped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.wire.description import Operation, Shape

MEDIA_TYPE = "application/x-www-form-urlencoded"
#: More fields than any form of these operations has, and parts of a field's name.
_FIELDS, _PARTS = 500_000, 20
_NOT_OURS = {"Action", "Version"}
_WHOLE = re.compile(r"[+-]?\d{1,20}", re.ASCII)


class QueryForm:
    """The protocol; `namespace` is that of the service's documents."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def read(self, shape: Shape, body: bytes) -> object:
        """Return what the form holds, its texts as what their shapes want them to be."""
        tree: dict[str, Any] = {}
        for name, value in fields(body).items():
            if name not in _NOT_OURS:
                _plant(tree, name, value)
        return _typed(shape, tree)

    def answer(
        self, name: str, operation: Operation, values: Mapping[str, Any], request_id: str
    ) -> Response:
        """Return the answer of an operation."""
        about = ("ResponseMetadata", (("RequestId", request_id),))
        shape = operation.output_shape
        content = () if shape is None else (_element(f"{name}Result", shape, values),)
        return self._document(200, (f"{name}Response", (*content, about)), request_id)

    def fault(self, fault: Fault, code: str, request_id: str) -> Response:
        """Return the answer that tells a fault."""
        told = (("Type", sender(fault)), ("Code", code), ("Message", fault.message))
        root: xml.Element = ("ErrorResponse", (("Error", told), ("RequestId", request_id)))
        return self._document(fault.status, root, request_id)

    def _document(self, status: int, root: xml.Element, request_id: str) -> Response:
        return Response(
            xml.document(root, self._namespace),
            status,
            headers={"x-amzn-RequestId": request_id},
            media_type="text/xml",
        )


def fields(body: bytes) -> dict[str, str]:
    """Return the fields of a form. Raises SerializationException."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise malformed(f"The body is not a form in UTF-8: {error}") from error
    return dict(pairs)


def _plant(tree: dict[str, Any], name: str, value: str) -> None:
    *path, last = name.split(".")
    if len(path) > _PARTS:
        raise malformed(f"The field {name[:80]!r} has too many parts")
    for part in path:
        branch = tree.setdefault(part, {})
        if not isinstance(branch, dict):
            raise malformed(f"The field {name[:80]!r} is within one that has a value")
        tree = branch
    if isinstance(tree.get(last), dict):
        raise malformed(f"The field {name[:80]!r} has a value, and others within it")
    tree[last] = value


def _typed(shape: Shape, given: Any) -> Any:
    """Return a value as its shape has it; what does not fit stays a text, for validation."""
    match shape.type_name:
        case "structure" if isinstance(given, dict):
            return {
                name: _typed(shape.members[name], value) if name in shape.members else value
                for name, value in given.items()
            }
        case "list":
            items = given.get("member", given) if isinstance(given, dict) else {}
            if given != "" and not isinstance(given, dict):
                return given
            return [_typed(shape.member, items[key]) for key in sorted(items, key=_place)]
        case "map" if isinstance(given, dict):
            entries = given.get("entry", given)
            return {
                entries[key]["key"]: _typed(shape.value, entries[key].get("value"))
                for key in sorted(entries, key=_place)
                if isinstance(entries[key], dict) and isinstance(entries[key].get("key"), str)
            }
        case _ if isinstance(given, str):
            return _READERS.get(shape.type_name, str)(given)
        case _:
            return given


def _place(key: str) -> int:
    if not _WHOLE.fullmatch(key):
        raise malformed(f"{key[:80]!r} is not the place of an item in a list")
    return int(key)


def _whole(text: str) -> int | str:
    return int(text) if _WHOLE.fullmatch(text) else text


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _instant(text: str) -> datetime | float | str:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        return _number(text)
    except OverflowError:  # of a zone in which the calendar begins earlier, or ends later
        return text


def _truth(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "integer": _whole,
    "long": _whole,
    "float": _number,
    "double": _number,
    "boolean": _truth,
    "timestamp": _instant,
}


def _element(tag: str, shape: Shape, values: Any) -> xml.Element:
    return _written(tag, shape, shaped(shape, values, _told))


def _written(tag: str, shape: Shape, value: Any) -> xml.Element:
    match shape.type_name:
        case "structure":
            return tag, [_written(n, shape.members[n], each) for n, each in value.items()]
        case "list":
            return tag, [_written("member", shape.member, each) for each in value]
        case "map":
            return tag, [
                ("entry", (("key", key), _written("value", shape.value, each)))
                for key, each in value.items()
            ]
        case "boolean":
            return tag, "true" if value else "false"
        case _:
            return tag, str(value)


def _told(instant: datetime | float) -> str:
    moment = (
        instant if isinstance(instant, datetime) else datetime.fromtimestamp(instant, UTC)
    ).astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
