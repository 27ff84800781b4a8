"""A captured call, read from a line of a capture file: SageMaker's own, or those of `apps/gateway`.

What was captured is whatever callers and models sent: nothing in it is to be trusted.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from parkade.domain.comparing.reading import Body
from parkade.domain.errors import Unreadable

#: The hour of the calls in a file, which is part of its key.
_HOUR = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]+\Z", re.ASCII)
_AN_HOUR = timedelta(hours=1)
_TEXTS = frozenset({"CSV", "JSON"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedCall:
    """One call; None: that part of it was not captured."""

    event_id: str
    sent: Body | None
    answered: Body | None
    #: None: it is not told.
    at: datetime | None = None
    #: As the caller gave them; empty: it gave none.
    inference_id: str = ""
    custom_attributes: str = ""


def read(line: bytes) -> CapturedCall:
    """Return the call that a line tells. Raises Unreadable with the reason."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not JSON: {error}") from error
    data, about = _object(told, "captureData"), _object(told, "eventMetadata")
    attributes = about.get("customAttributes") or []
    return CapturedCall(
        event_id=_text(about, "eventId"),
        sent=_body(data, "endpointInput"),
        answered=_body(data, "endpointOutput"),
        at=_instant(_text(about, "inferenceTime")),
        inference_id=_text(about, "inferenceId"),
        custom_attributes=",".join(map(str, attributes))
        if isinstance(attributes, list)
        else str(attributes),
    )


def hour_of(key: str) -> datetime | None:
    """Return the hour of the calls of a file by its key; None: the key does not tell."""
    match = _HOUR.search(f"/{key}")
    if match is None:
        return None
    try:
        return datetime(*map(int, match.groups()), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Window:
    """Calls since `start`, included, until `end`; None: without that bound."""

    start: datetime | None = None
    end: datetime | None = None

    def has(self, at: datetime | None) -> bool:
        """Tell whether a call of then is in it; of one without a time only a whole window has it."""
        if at is None:
            return self.start is None and self.end is None
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)

    def may_have(self, hour: datetime | None, slack: timedelta) -> bool:
        """Tell whether a file of this hour can have calls of the window, give or take the slack."""
        if hour is None:
            return True
        after = self.end is not None and hour - slack >= self.end
        before = self.start is not None and hour + _AN_HOUR + slack <= self.start
        return not (after or before)


def _object(told: Any, name: str) -> dict[str, Any]:
    value = told.get(name) if isinstance(told, dict) else None
    if not isinstance(value, dict):
        raise Unreadable(f"it has no {name}: it is no line of a capture file")
    return value


def _text(about: dict[str, Any], name: str) -> str:
    value = about.get(name)
    return value if isinstance(value, str) else ""


def _body(data: dict[str, Any], name: str) -> Body | None:
    told = data.get(name)
    if told is None:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("data"), str):
        raise Unreadable(f"its {name} has no data")
    encoding = told.get("encoding")
    return Body(_decoded(told["data"], encoding, name), _text(told, "observedContentType"))


def _decoded(text: str, encoding: object, name: str) -> bytes:
    if encoding in _TEXTS:
        # Half of a surrogate pair is no text; JSON can spell it all the same.
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise Unreadable(f"the data of its {name} is no text") from error
    if encoding == "BASE64":
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Unreadable(f"the data of its {name} is not base 64") from error
    raise Unreadable(f"its {name} has the unknown encoding {str(encoding)[:40]!r}")


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
