"""Tokens of pages: where a page ended, as a text that clients hand back and need not understand."""

from __future__ import annotations

import base64
import json
from typing import Any


def token(*position: str | int | list[Any]) -> str:
    """Return the token of a page that ends there."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def position(given: str, *kinds: type) -> list[Any]:
    """Return where a page begins. Raises ValueError for what is no token of such a position."""
    try:
        found = json.loads(base64.b64decode(given, altchars="-_", validate=True))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(found, list) or [type(each) for each in found] != list(kinds):
        raise ValueError("it is of another list")
    return found
