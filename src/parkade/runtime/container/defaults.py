"""What happens where a script leaves a function out: SageMaker's defaults.

JSON, CSV and NPY come in and go out. As in SageMaker's toolkits a JSON list and a CSV become a
NumPy array; a JSON object stays one, and without NumPy a JSON list does, too.
"""

from __future__ import annotations

import io
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .messages import JSON, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

CSV = "text/csv"
NPY = "application/x-npy"
SUPPORTED = (JSON, CSV, NPY)
#: What SageMaker's toolkits hand over as text; everything else is bytes.
TEXTS = frozenset({JSON, CSV})


@lru_cache(maxsize=256)
def media_type(content_type: str) -> str:
    """Return the type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


@lru_cache(maxsize=256)
def accepted(accept: str, default: str) -> tuple[str, ...]:
    """Return the types that an Accept header names, in its order; wildcards mean the default."""
    types = [media_type(part) for part in accept.split(",")]
    named = [default if "*" in type_ else type_ for type_ in types if type_]
    return tuple(named) or (default,)


def readable(body: bytes, content_type: str) -> bytes | str:
    """Return the body as scripts expect it: JSON and CSV as text."""
    if media_type(content_type) not in TEXTS:
        return body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(400, f"the body is not UTF-8: {error}") from error


def input_fn(data: bytes | str, content_type: str) -> Any:
    """Decode the body by its content type."""
    decode = _DECODERS.get(media_type(content_type))
    if decode is None:
        raise Refused(
            415,
            f"content type {content_type!r} is not supported; send one of {', '.join(SUPPORTED)}",
        )
    return decode(data)


def predict_fn(data: Any, model: Any) -> Any:
    """Call the model's `predict`, or the model itself."""
    predict = getattr(model, "predict", None)
    return model(data) if predict is None else predict(data)


def output_fn(prediction: Any, types: tuple[str, ...]) -> tuple[bytes, str]:
    """Encode the prediction as the first of the accepted types that is supported."""
    for accept in types:
        encode = _ENCODERS.get(accept)
        if encode is not None:
            return encode(prediction), accept
    raise Refused(406, f"{', '.join(types)} is not supported; accept one of {', '.join(SUPPORTED)}")


def _from_json(data: Any) -> Any:
    try:
        value = json.loads(data)
        numpy = _numpy() if isinstance(value, list) else None
        return value if numpy is None else numpy.array(value)
    except ValueError as error:
        raise Refused(400, f"the body is not usable JSON: {error}") from error


def _from_csv(data: Any) -> Any:
    numpy = _required_numpy(CSV)
    try:
        return numpy.genfromtxt(io.StringIO(data), delimiter=",")
    except ValueError as error:
        raise Refused(400, f"the body is not usable CSV: {error}") from error


def _from_npy(data: Any) -> Any:
    numpy = _required_numpy(NPY)
    try:
        # Pickled objects in an array would run code of the caller's choice.
        return numpy.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Refused(400, f"the body is not a usable NPY array: {error}") from error


def _to_json(prediction: Any) -> bytes:
    return json.dumps(prediction, default=plain).encode()


def plain(value: Any) -> Any:
    """Return arrays, scalars and tensors, which all have `tolist`, as JSON knows them."""
    tolist = getattr(value, "tolist", None)
    if tolist is None:
        raise TypeError(f"{type(value).__name__} cannot be written as JSON; define output_fn")
    return tolist()


def _to_csv(prediction: Any) -> bytes:
    numpy = _required_numpy(CSV)
    stream = io.BytesIO()
    numpy.savetxt(stream, numpy.atleast_1d(numpy.asarray(prediction)), delimiter=",", fmt="%s")
    return stream.getvalue()


def _to_npy(prediction: Any) -> bytes:
    numpy = _required_numpy(NPY)
    stream = io.BytesIO()
    numpy.save(stream, numpy.asarray(prediction), allow_pickle=False)
    return stream.getvalue()


def _numpy() -> ModuleType | None:
    try:
        import numpy as np  # noqa: PLC0415 - the model's environment need not have it
    except ModuleNotFoundError:
        return None
    return np


def _required_numpy(content_type: str) -> Any:
    numpy = _numpy()
    if numpy is None:
        raise Refused(
            415,
            f"{content_type} needs NumPy, which this model's environment lacks; "
            f"send {JSON}, or add numpy to code/requirements.txt",
        )
    return numpy


_DECODERS: dict[str, Callable[[Any], Any]] = {JSON: _from_json, CSV: _from_csv, NPY: _from_npy}
_ENCODERS: dict[str, Callable[[Any], bytes]] = {JSON: _to_json, CSV: _to_csv, NPY: _to_npy}
