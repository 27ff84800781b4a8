"""Forms as JSON holds them: instants as texts, which botocore takes as well."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from parkade.domain.event import written


def texts(value: Any) -> Any:
    """Return a form in which every instant, however deep, is a text."""
    if isinstance(value, dict):
        return {key: texts(each) for key, each in value.items()}
    if isinstance(value, list):
        return [texts(each) for each in value]
    return written(value) if isinstance(value, datetime) else value
