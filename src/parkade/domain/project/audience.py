"""Who hears of a project: its subscribers, and that they hear of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.alarm import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.domain.event import Json

#: What somebody hears of who names no kinds: alarms, what failed, and all notices to people.
#: How applications end is one of those.
KINDS = (
    "alarm.changed",
    "deployment.failed",
    "endpoint.failed",
    "endpoint.update_failed",
    "notice.",
)


def interest(prefix: str, *, alarms: Iterable[str], endpoints: Iterable[str]) -> dict[str, Json]:
    """Return what subscribers of a project hear of: itself, its alarms and endpoints, by names.

    No patterns: what begins with the prefix may be another project's. Alarms are heard of that go
    off or are over: a new one that has its first data concerns nobody.
    """
    return {
        "alarms": sorted(set(alarms)),
        "alarm_states": [State.ALARM.value],
        "endpoints": sorted(set(endpoints)),
        "projects": [prefix],
    }


def by_mail(address: str) -> dict[str, Json]:
    """Return the form of a subscriber of whom no more is known than the address."""
    return {"kind": "email", "to": [address], "kinds": list(KINDS)}


def key_of(address: str) -> str:
    """Return the key of a subscriber that is given by its address alone: `ann-at-example.com`."""
    text = address.replace("@", "-at-")
    plain = (c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in text)
    return "".join(plain).strip("-._")
