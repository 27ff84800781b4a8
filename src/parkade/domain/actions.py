"""What a plan is made of: actions, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from parkade.domain.event import Json
    from parkade.domain.lease import EndReason, Lease


class ActionKind(StrEnum):
    """What a sweep can do about one endpoint."""

    START = "start"
    STOP = "stop"
    RECREATE = "recreate"
    SLEEP = "sleep"
    WAKE = "wake"
    ADOPT = "adopt"
    FOLLOW = "follow"
    PAY = "pay"
    REMOVE = "remove"
    NOTIFY = "notify"
    NOTHING = "nothing"


class NoticeKind(StrEnum):
    """What a notice is about."""

    EXPIRY = "expiry"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    UNMETERED = "unmetered"
    STUCK = "stuck"
    IDLE = "idle"
    UNKNOWN = "unknown"
    UNUSABLE = "unusable"
    BUDGET = "budget"
    LIMIT = "limit"
    DEPLOYMENT = "deployment"
    PROJECT = "project"


class PaidBy(StrEnum):
    """What adds time without a person."""

    SCHEDULE = "schedule"
    BOOKING = "booking"
    USE = "use"
    WAKE = "wake"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCoin:
    """Time that the meter adds by itself: the lease is to run until then."""

    until: datetime
    by: PaidBy
    reason: str
    #: BOOKING: which one, whose it is and what it is to run.
    booking_id: str = ""
    owner: str = ""
    config_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do, with its reason. `lease` is the version the decision was made on."""

    kind: ActionKind
    endpoint_name: str
    reason: str
    lease: Lease | None = None
    #: ADOPT: the endpoint config that the new lease is for; FOLLOW: that it is to name; WAKE: from
    #: which it is to be made, where it is not there.
    config_name: str = ""
    #: STOP: the reason the lease is closed with, or would be if there was one.
    ends: EndReason | None = None
    #: STOP: whether there is an endpoint that can be deleted now.
    deletes: bool = False
    #: SLEEP: whether the clock of the lease is paused by it.
    pauses: bool = False
    #: What hosting said when it failed, where that is why.
    failure: str = ""
    #: NOTIFY: what is told, and for expiry warnings how long before.
    notice: NoticeKind | None = None
    before: timedelta | None = None
    #: PAY: what is added, and why.
    coin: DueCoin | None = None
    #: What the decision rests on, where it is more than the lease and the endpoint.
    evidence: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a sweep would do at `now`, and when looking again can change anything."""

    now: datetime
    actions: tuple[Action, ...]
    #: The next instant at which a decision is due by time alone; None: only on a change.
    next_at: datetime | None

    @property
    def acts(self) -> tuple[Action, ...]:
        """The actions that are more than looking on."""
        return tuple(a for a in self.actions if a.kind is not ActionKind.NOTHING)
