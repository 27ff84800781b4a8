"""What was spent, as documents: added up, cut into the items that hold it, written and read.

A ledger holds tallies, presences and first sights by their keys. One that is stored is cut into
places, so that no item grows with all that an account has:

    0a/2026-03-01T12:00:00.000000+00:00/2   owners of bucket 10, the period from noon on,
                                            endpoints of bucket 2
    sights/2f                               first sights of endpoints of bucket 47 of theirs

All of one owner lie in one range of keys, in the order of time.
"""

from __future__ import annotations

import json
import zlib
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from parkade.adapters.documents import columns
from parkade.domain.cost import Presence, Tally
from parkade.domain.errors import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Into how many places the owners, and then the endpoints, of a period are spread. Neither is ever
#: changed: what is stored lies where these led it.
OWNERS, ENDPOINTS = 16, 4
#: First sights stay for ever, and are of all endpoints that there ever were.
SIGHTINGS = 64
SIGHTS = "sights/"
_MICROSECOND = timedelta(microseconds=1)
#: How many values stand for a tally, for a presence, and for a first sight.
_TALLY, _PRESENCE, _SIGHT = 8, 4, 3


class Ledger:
    """Tallies and presences that are added up, and first sights."""

    def __init__(self) -> None:
        self.tallies: dict[tuple[object, ...], Tally] = {}
        self.presences: dict[tuple[object, ...], Presence] = {}
        self.sights: dict[tuple[str, str], datetime] = {}

    def add(self, tallies: Iterable[Tally], presences: Iterable[Presence], until: datetime) -> None:
        """Add up, and see first what was not seen yet."""
        for tally in tallies:
            self._tally(tally)
        for each in sorted(presences, key=lambda presence: presence.at):
            self._presence(each)
            self._see((each.endpoint_name, each.owner), max(each.at, until - each.span))

    def merge(self, later: Ledger) -> None:
        """Add what another one holds, which came later: sights of this one stay."""
        for tally in later.tallies.values():
            self._tally(tally)
        for presence in later.presences.values():
            self._presence(presence)
        for key, at in later.sights.items():
            self._see(key, at)

    def knows(self, later: Ledger) -> bool:
        """Tell whether merging another one would change nothing."""
        return not (later.tallies or later.presences) and later.sights.keys() <= self.sights.keys()

    def places(self) -> Mapping[str, Ledger]:
        """Cut it into the places that its parts are stored at."""
        cut: dict[str, Ledger] = {}
        for tally in self.tallies.values():
            place = place_of(tally.owner, tally.at, tally.endpoint_name)
            cut.setdefault(place, Ledger())._tally(tally)  # noqa: SLF001  of this class
        for each in self.presences.values():
            place = place_of(each.owner, each.at, each.endpoint_name)
            cut.setdefault(place, Ledger())._presence(each)  # noqa: SLF001
        for key, at in self.sights.items():
            place = f"{SIGHTS}{bucket(key[0], SIGHTINGS):02x}"
            cut.setdefault(place, Ledger())._see(key, at)  # noqa: SLF001
        return cut

    def write(self) -> str:
        """Return it as JSON."""
        return json.dumps(
            {
                "tallies": [_written(each) for each in self.tallies.values()],
                "presences": [
                    (columns.instant(e.at), e.endpoint_name, e.owner, e.span // _MICROSECOND)
                    for e in self.presences.values()
                ],
                "sights": [(*key, columns.instant(at)) for key, at in self.sights.items()],
            },
            separators=(",", ":"),
        )

    @staticmethod
    def read(content: str) -> Ledger:
        """Return what `write` gave. Raises Unreadable: a sum must not lack what is damaged."""
        found = Ledger()
        for values in _lists(content, "tallies", _TALLY):
            found._tally(_tally(values))
        for at, endpoint_name, owner, span in _lists(content, "presences", _PRESENCE):
            found._presence(
                Presence(
                    at=_instant(at),
                    endpoint_name=_text(endpoint_name),
                    owner=_text(owner),
                    span=_span(span),
                )
            )
        for endpoint_name, owner, at in _lists(content, "sights", _SIGHT):
            found._see((_text(endpoint_name), _text(owner)), _instant(at))
        return found

    def _tally(self, tally: Tally) -> None:
        present = self.tallies.get(tally.key)
        self.tallies[tally.key] = tally if present is None else present.plus(tally)

    def _presence(self, presence: Presence) -> None:
        present = self.presences.get(presence.key)
        self.presences[presence.key] = presence if present is None else present.plus(presence)

    def _see(self, key: tuple[str, str], at: datetime) -> None:
        self.sights.setdefault(key, at)


def place_of(owner: str, at: datetime, endpoint_name: str) -> str:
    """Return where what is of an owner, a period and an endpoint is stored."""
    start = columns.instant(at)
    return f"{bucket(owner, OWNERS):02x}/{start}/{bucket(endpoint_name, ENDPOINTS)}"


def ranges(owner: str | None) -> Iterator[str]:
    """Give what the keys begin with that may hold something of an owner; None: of any."""
    numbers = range(OWNERS) if owner is None else (bucket(owner, OWNERS),)
    return (f"{number:02x}/" for number in numbers)


def bucket(text: str, count: int) -> int:
    """Return which of so many buckets a text is in, now and ever."""
    return zlib.crc32(text.encode()) % count


def _written(tally: Tally) -> tuple[object, ...]:
    return (
        columns.instant(tally.at),
        tally.endpoint_name,
        tally.variant_name,
        tally.owner,
        tally.instance_type,
        None if tally.hourly is None else str(tally.hourly),
        tally.used // _MICROSECOND,
        tally.idle // _MICROSECOND,
    )


def _tally(values: list[Any]) -> Tally:
    at, endpoint_name, variant_name, owner, instance_type, hourly, used, idle = values
    return Tally(
        at=_instant(at),
        endpoint_name=_text(endpoint_name),
        variant_name=_text(variant_name),
        owner=_text(owner),
        instance_type=_text(instance_type),
        hourly=None if hourly is None else _amount(hourly),
        used=_span(used),
        idle=_span(idle),
    )


def _lists(content: str, name: str, length: int) -> Iterator[list[Any]]:
    try:
        document = json.loads(content)
        found = document[name]
    except (ValueError, LookupError, TypeError) as error:
        raise Unreadable(f"its {name} are not there") from error
    if not isinstance(found, list):
        raise Unreadable(f"its {name} are not a list")
    for values in found:
        if not isinstance(values, list) or len(values) != length:
            raise Unreadable(f"one of its {name} is not a list of {length} values")
        yield values


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Unreadable(f"{value!r} is not a text")
    return value


def _instant(value: object) -> datetime:
    return columns.read_instant({"at": value}, "at")


def _span(value: object) -> timedelta:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unreadable("one of its spans is not a number of microseconds")
    try:
        return value * _MICROSECOND
    except OverflowError as error:
        raise Unreadable("one of its spans is longer than time is") from error


def _amount(value: object) -> Decimal:
    try:
        hourly = Decimal(_text(value))
    except InvalidOperation as error:
        raise Unreadable(f"its hourly {value!r} is not an amount") from error
    if not hourly.is_finite() or hourly < 0:
        raise Unreadable(f"its hourly {value!r} is not an amount")
    return hourly
