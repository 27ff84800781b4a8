"""The maintainer's ladder: what idleness leads to, rung by rung.

    unknown         what a decision needs has not been known for a whole window
    notice          after so many windows without use
    stop            after more of them; the lease ends as `idle`
    delete          so long after that: the lease goes, and what is left over is reported

Windows follow each other from the grace's end, or from whatever made the maintainer begin anew:
that it was told to watch, other rules, a snooze. Updates and scaling do not. Use begins the windows
again. A rung that is missing is passed over; none is ever taken twice for one idle time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003  stores read these forms by their annotations
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.errors import Conflict
from parkade.domain.event import Json, written
from parkade.domain.idle import IdleRules  # noqa: TC001
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from parkade.domain.idle import Use


class Rung(StrEnum):
    """What is due for an endpoint that is watched."""

    UNKNOWN = "unknown"
    NOTICE = "notice"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What the maintainer remembers of an endpoint that it watches."""

    endpoint_name: str
    #: Which endpoint of that name: when it was created.
    created_at: datetime
    #: When it was first seen in service.
    in_service_at: datetime
    #: Since when it is watched, by these rules: changing them begins the windows anew.
    since: datetime
    rules: IdleRules
    #: Who or what opted in: `tag auto-maintain=true`, `lease settings`, `server settings`.
    by: str
    #: When its owner was last told that it is idle.
    noticed_at: datetime | None = None
    #: When somebody postponed the ladder, and until when; once in an idle time.
    snoozed_at: datetime | None = None
    snoozed_until: datetime | None = None
    #: Since when something that a decision needs is not known; None: all of it is.
    unknown_since: datetime | None = None

    @property
    def begins(self) -> datetime:
        """The instant from which windows can begin."""
        starts = [self.in_service_at + self.rules.grace, self.since]
        return max([*starts, *([self.snoozed_until] if self.snoozed_until else [])])


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is due on the ladder; no rung: nothing yet. `next_at`: when time alone changes it."""

    rung: Rung | None
    reason: str
    #: Since when its windows run; None: it is not idle.
    idle_since: datetime | None = None
    next_at: datetime | None = None
    #: What it was decided on.
    evidence: Json = None


def climb(now: datetime, watch: Watch, use: Use) -> Step:
    """Return what is due for an endpoint in service."""
    rules, quiet_since = watch.rules, use.quiet_since
    if use.unknown:
        return _unknown(now, watch, use)
    if quiet_since is None:
        return Step(rung=None, reason=f"not idle: {use.why_not}", evidence=use.evidence())
    idle_since = max(quiet_since, watch.begins)
    windows = max(0, (now - idle_since) // rules.window)  # it may begin later than now
    rungs = _ahead(rules, noticed=_noticed(watch, idle_since))
    due = [(rung, count) for rung, count in rungs if windows >= count]
    ahead = [idle_since + rules.window * count for _, count in rungs if windows < count]
    next_at = min(ahead, default=None)
    if now < idle_since:
        why = f"its windows begin in {duration(idle_since - now)}"
    else:
        why = (
            f"idle for {duration(now - idle_since)}: {windows} "
            f"window{'' if windows == 1 else 's'} of {duration(rules.window)} without use"
        )
    stop_after = rules.stop_after
    stops_at = None if stop_after is None else idle_since + rules.window * stop_after
    if stops_at is not None and now < stops_at:
        why += f"; it is stopped in {duration(stops_at - now)}"
    rung = due[-1][0] if due else None  # a stop that is due needs no notice before it any more
    evidence: dict[str, Json] = {
        "idle_since": written(idle_since),
        "window_seconds": rules.window.total_seconds(),
        "windows": windows,
        "stops_at": written(stops_at) if stops_at else None,
        "opted_in_by": watch.by,
        "use": use.evidence(),
    }
    return Step(rung=rung, reason=why, idle_since=idle_since, next_at=next_at, evidence=evidence)


def _unknown(now: datetime, watch: Watch, use: Use) -> Step:
    """Return what is due while something is not known: a notice, once that has lasted."""
    why = f"whether it is idle is not known, so it counts as busy: {use.unknown}"
    due = (watch.unknown_since or now) + watch.rules.window
    if now < due:
        return Step(rung=None, reason=why, next_at=due, evidence=use.evidence())
    return Step(rung=Rung.UNKNOWN, reason=why, evidence=use.evidence())


def postponed(watch: Watch, use: Use | None, now: datetime, until: datetime) -> Watch:
    """Return the watch with its ladder postponed.

    Raises Conflict where that was done before in this idle time: without any use since then.
    """
    if watch.snoozed_at is not None and not _used_since(watch.snoozed_at, use):
        raise Conflict(
            f"{watch.endpoint_name!r} was snoozed at {watch.snoozed_at:%H:%M:%S} UTC and not used "
            "since; one idle time is postponed once",
            hint="use it, or change when it is stopped: parkade maintain "
            f"{watch.endpoint_name} --stop-after never",
        )
    return replace(watch, snoozed_at=now, snoozed_until=until)


def _used_since(instant: datetime, use: Use | None) -> bool:
    if use is None:
        return False
    return use.in_use or (use.used_at is not None and use.used_at > instant)


def _ahead(rules: IdleRules, *, noticed: bool) -> list[tuple[Rung, int]]:
    """Return the rungs that can be taken, the mildest first, with the windows each needs."""
    notice = None if noticed else rules.notice_after
    rungs = ((Rung.NOTICE, notice), (Rung.STOP, rules.stop_after))
    return [(rung, count) for rung, count in rungs if count is not None]


def _noticed(watch: Watch, idle_since: datetime) -> bool:
    """Tell whether the owner was told within this idle time."""
    return watch.noticed_at is not None and watch.noticed_at >= idle_since
