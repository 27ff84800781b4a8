"""What a container takes from its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .script import BadModel

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names what the models of a multi-model container need, in the form of a requirements.txt.
REQUIREMENTS = "PARKADE_REQUIREMENTS"
MIB = 1024 * 1024


def whole_number(environ: Mapping[str, str], name: str) -> int | None:
    """Return a number above 0, or None where the variable is not set. Raises BadModel."""
    text = environ.get(name)
    if text is None:
        return None
    if not text.isdecimal() or int(text) == 0:
        raise BadModel(f"{name} {text!r} is not a whole number above 0")
    return int(text)


def max_body(environ: Mapping[str, str]) -> int | None:
    """Return SAGEMAKER_MAX_PAYLOAD_IN_MB in bytes; without it the gateway's limit is enough."""
    megabytes = whole_number(environ, "SAGEMAKER_MAX_PAYLOAD_IN_MB")
    return None if megabytes is None else megabytes * MIB
