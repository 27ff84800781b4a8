"""A finding: something that is left over, missing, or paid for by nobody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.price import Sum


class Kind(StrEnum):
    """What can be found, the worst first; each is one check's."""

    UNREADABLE = "unreadable"
    UNMETERED = "endpoint.unmetered"
    STRAY_WORKER = "worker.stray"
    NOT_RUNNING = "lease.not_running"
    BROKEN_CONFIG = "config.broken"
    MISSING_DATA = "model.data_missing"
    NOT_UNDOABLE = "undo.broken"
    FAILING_SUBSCRIBER = "subscriber.failing"
    LETTERS = "subscriber.letters"
    SUSPENDED_SCALING = "scaling.suspended"
    UNHEARD_POLICY = "policy.no_alarm"
    ORPHANED_ALARM = "alarm.orphaned"
    ALARM_WITHOUT_POLICY = "alarm.no_policy"
    ORPHANED_SCALING = "scaling.orphaned"
    DANGLING_ROUTE = "route.dangling"
    ORPHANED_TAGS = "tags.orphaned"
    ORPHANED_WATCH = "watch.orphaned"
    ORPHANED_TARGET = "target.orphaned"
    STALE_LEASE = "lease.stale"
    UNUSED_CONFIG = "config.unused"
    UNUSED_MODEL = "model.unused"


class Mending(StrEnum):
    """Whether it is put right on request."""

    #: A person has to: anything else might take away what somebody needs.
    BY_HAND = "by_hand"
    FIX = "fix"
    #: Only where what is unused is to go, too.
    FIX_UNUSED = "fix_unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    kind: Kind
    #: What it is about: an endpoint, an alarm, a config, a process ...
    name: str
    #: What is wrong, as a sentence for people.
    text: str
    #: What to do about it.
    hint: str
    mending: Mending = Mending.BY_HAND
    #: What is done where it is put right on request; empty: it is not.
    mends: str = ""
    #: Since when it is so; None: that is not known.
    since: datetime | None = None
    #: What it costs an hour; None: nothing, or nothing that is known.
    hourly: Sum | None = None

    @property
    def id(self) -> str:
        """What it is known by: the same finding has the same id the next time."""
        return f"{self.kind}:{self.name}"
