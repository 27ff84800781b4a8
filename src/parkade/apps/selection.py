"""Which part of an object a request wants, if any: conditions and ranges of RFC 9110.

A range is one range; several at once are answered with the whole object, which HTTP allows. So
are ranges in a form, or a unit, that is not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.ports.objects import ObjectInfo

WHOLE, PART, UNCHANGED, FAILED, OUTSIDE = 200, 206, 304, 412, 416
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to answer: a status of HTTP, and the bytes from `start` up to `end`."""

    status: int
    start: int = 0
    end: int = 0

    def headers(self, size: int) -> dict[str, str]:
        """Return the headers that tell which part of `size` bytes it is."""
        if self.status == OUTSIDE:
            return {"Content-Range": f"bytes */{size}"}
        lengths = {"Content-Length": str(self.end - self.start)}
        if self.status == PART:
            lengths["Content-Range"] = f"bytes {self.start}-{self.end - 1}/{size}"
        return lengths


def select(headers: Mapping[str, str], info: ObjectInfo) -> Selection:
    """Choose for a GET or HEAD; the names in `headers` are in lower case, or match in any."""
    failed = _failed(headers, info)
    if failed:
        return Selection(status=failed)
    asked = headers.get("range", "")
    if asked and _may_be_part(headers.get("if-range", ""), info):
        return _part(asked, info.size)
    return Selection(status=WHOLE, end=info.size)


def _failed(headers: Mapping[str, str], info: ObjectInfo) -> int:
    """Return the status of the condition that does not hold; 0: all hold."""
    modified = info.modified_at.replace(microsecond=0)
    if "if-match" in headers:
        if not _names(headers["if-match"], info.etag):
            return FAILED
    elif (before := _date(headers.get("if-unmodified-since", ""))) and modified > before:
        return FAILED
    if "if-none-match" in headers:
        if _names(headers["if-none-match"], info.etag):
            return UNCHANGED
    elif (since := _date(headers.get("if-modified-since", ""))) and modified <= since:
        return UNCHANGED
    return 0


def _part(asked: str, size: int) -> Selection:
    whole = Selection(status=WHOLE, end=size)
    match = _RANGE.fullmatch(asked)
    if match is None:
        return whole
    first, last = (int(text) if text else None for text in match.groups())
    if first is None:
        if last is None:
            return whole
        start, end = max(0, size - last), size
    else:
        start = first
        end = size if last is None else min(size, last + 1)
        if last is not None and last < first:
            return whole
    return (
        Selection(status=PART, start=start, end=end) if start < end else Selection(status=OUTSIDE)
    )


def _names(listed: str, etag: str) -> bool:
    """Tell whether a list of entity tags, or a star, names this one."""
    tags = (each.strip().removeprefix("W/").strip('"') for each in listed.split(","))
    return any(tag in {"*", etag} for tag in tags)


def _may_be_part(condition: str, info: ObjectInfo) -> bool:
    if not condition:
        return True
    date = _date(condition)
    if date is None:
        return condition.strip().strip('"') == info.etag
    return info.modified_at.replace(microsecond=0) == date


def _date(text: str) -> datetime | None:
    """Read a date of HTTP; None where it is none, which counts as no condition."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
