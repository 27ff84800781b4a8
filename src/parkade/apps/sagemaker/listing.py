"""Lists: filtered, sorted, and given in pages.

A page goes on after the last entry of the one before, wherever that stands now, so that what
comes and goes in between neither repeats an entry nor hides one.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from parkade.apps.wire.faults import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

#: How many entries a page has where MaxResults does not say: documented for endpoints and
#: inference components; for models and endpoint configs it is unverified.
PAGE = 10

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[_Record]):
    """What of a record a list filters and sorts by."""

    name: Callable[[_Record], str]
    created_at: Callable[[_Record], datetime]
    changed_at: Callable[[_Record], datetime] | None = None
    status: Callable[[_Record], str] | None = None


def page(
    records: Iterable[_Record], listed: Listed[_Record], given: Mapping[str, Any]
) -> tuple[list[_Record], str | None]:
    """Return one page and its NextToken, as the input of a List operation asks for them."""
    descending = given.get("SortOrder", "Descending") == "Descending"
    sort_by = given.get("SortBy", "CreationTime")
    key = _key(listed, sort_by)
    found = sorted(_filtered(records, listed, given), key=key, reverse=descending)
    asked = [sort_by, descending]
    if token := given.get("NextToken"):
        last = _position(token, asked)
        found = [each for each in found if (key(each) < last if descending else key(each) > last)]
    limit = given.get("MaxResults", PAGE)
    if len(found) <= limit:
        return found, None
    return found[:limit], _token(asked, key(found[limit - 1]))


def _filtered(
    records: Iterable[_Record], listed: Listed[_Record], given: Mapping[str, Any]
) -> list[_Record]:
    def wanted(record: _Record) -> bool:
        return (
            given.get("NameContains", "") in listed.name(record)
            and _within(given, "CreationTime", listed.created_at(record))
            and (
                listed.changed_at is None
                or _within(given, "LastModifiedTime", listed.changed_at(record))
            )
            and (
                listed.status is None or given.get("StatusEquals") in {None, listed.status(record)}
            )
        )

    return [each for each in records if wanted(each)]


def _within(given: Mapping[str, Any], member: str, instant: datetime) -> bool:
    """Tell whether an instant is not before one bound, and before the other."""
    after, before = given.get(f"{member}After"), given.get(f"{member}Before")
    return (after is None or instant >= after) and (before is None or instant < before)


def _key(listed: Listed[_Record], sort_by: str) -> Callable[[_Record], tuple[str, str]]:
    """Return the place of a record in the order; its name decides between equals."""
    if sort_by == "Name":
        return lambda record: ("", listed.name(record))
    if sort_by == "Status" and (status := listed.status) is not None:
        return lambda record: (status(record), listed.name(record))
    # Of one length and zone, so that texts are in the order of time.
    return lambda record: (
        listed.created_at(record).isoformat(timespec="microseconds"),
        listed.name(record),
    )


def _token(asked: list[Any], last: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([*asked, *last]).encode()).decode()


def _position(token: str, asked: list[Any]) -> tuple[str, str]:
    try:
        *former, value, name = json.loads(base64.b64decode(token, altchars="-_", validate=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise _unusable() from error
    if not (isinstance(value, str) and isinstance(name, str)) or former != asked:
        raise _unusable()
    return value, name


def _unusable() -> Exception:
    return invalid(
        "NextToken is not one that this list gave: repeat the request that gave it, with its "
        "SortBy and SortOrder"
    )
