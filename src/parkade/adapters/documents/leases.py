"""A lease as members that every store can keep, and back."""

from __future__ import annotations

import json
from datetime import timedelta

from parkade.adapters.documents import columns
from parkade.domain.errors import Unreadable
from parkade.domain.lease import EndReason, Lease

_MICROSECOND = timedelta(microseconds=1)


def written(lease: Lease) -> dict[str, columns.Column]:
    """Return the members of a lease."""
    return {
        "endpoint_name": lease.endpoint_name,
        "config_name": lease.config_name,
        "owner": lease.owner,
        "created_at": columns.instant(lease.created_at),
        "expires_at": columns.instant(lease.expires_at),
        "ended": lease.ended,
        "ended_at": columns.instant_or_none(lease.ended_at),
        "retries": lease.retries,
        "refused_at": columns.instant_or_none(lease.refused_at),
        "failure": lease.failure,
        "warned": json.dumps(sorted(before // _MICROSECOND for before in lease.warned)),
        "version": lease.version,
        "paid_until": columns.instant_or_none(lease.paid_until),
        "asleep_at": columns.instant_or_none(lease.asleep_at),
        "paused_at": columns.instant_or_none(lease.paused_at),
        "wanted_at": columns.instant_or_none(lease.wanted_at),
        "woken": lease.woken // _MICROSECOND,
    }


def read(row: columns.Row) -> Lease:
    """Return the lease of a row. Raises Unreadable that names it."""
    with columns.reading(f"the lease of {row['endpoint_name']!r}"):
        return fields(row)


def fields(row: columns.Row) -> Lease:
    """Return the lease of a row. Raises Unreadable that says what is wrong with it."""
    return Lease(
        endpoint_name=columns.read_text(row, "endpoint_name"),
        config_name=columns.read_text(row, "config_name"),
        owner=columns.read_text(row, "owner"),
        created_at=columns.read_instant(row, "created_at"),
        expires_at=columns.read_instant(row, "expires_at"),
        ended=None if row["ended"] is None else columns.read_word(row, "ended", EndReason),
        ended_at=columns.read_instant_or_none(row, "ended_at"),
        retries=columns.read_number(row, "retries"),
        refused_at=columns.read_instant_or_none(row, "refused_at"),
        failure=columns.read_text(row, "failure"),
        warned=_warned(row),
        version=columns.read_number(row, "version", least=1),
        paid_until=columns.read_instant_or_none(row, "paid_until"),
        asleep_at=columns.read_instant_or_none(row, "asleep_at"),
        paused_at=columns.read_instant_or_none(row, "paused_at"),
        wanted_at=columns.read_instant_or_none(row, "wanted_at"),
        woken=_woken(row),
    )


def _woken(row: columns.Row) -> timedelta:
    number = columns.read_number(row, "woken")
    try:
        return timedelta(microseconds=number)
    except OverflowError as error:
        raise Unreadable(f"its woken {number!r} is out of range") from error


def _warned(row: columns.Row) -> frozenset[timedelta]:
    spans = columns.read_json(row, "warned")
    if not isinstance(spans, list) or not all(type(span) is int for span in spans):
        raise Unreadable(f"its warned {spans!r} is not a list of microseconds")
    try:
        return frozenset(timedelta(microseconds=span) for span in spans)
    except OverflowError as error:
        raise Unreadable(f"its warned {spans!r} is out of range") from error
