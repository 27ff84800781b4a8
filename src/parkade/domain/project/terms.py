"""What a project settles about its endpoints: use, office hours, the maintainer, sleep, wake.

What a content does not speak of stays as people have settled it; null settles nothing of the kind.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parkade.domain import schedule
from parkade.domain.deploy.reading import Section
from parkade.domain.errors import Conflict, InvalidInput
from parkade.domain.terms import Keep, Sleep, Terms, Wake
from parkade.domain.watching import Watched

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from parkade.domain.event import Json
    from parkade.domain.idle import IdleRules
    from parkade.domain.watching import Opting

KEEP, SCHEDULE, MAINTAIN, SLEEP, WAKE = KEYS = ("keep", "schedule", "maintain", "sleep", "wake")
_WATCH, _ON, _OFF, _BY_TAG = "watch", "on", "off", "by_tag"
#: Whether the maintainer watches, by what a content calls it.
_WATCHED = {_ON: True, _OFF: False, _BY_TAG: None}
_SPANS = ("grace_minutes", "window_minutes", "delete_after_minutes")
_COUNTS = ("notice_after", "stop_after")
_MAINTAIN_KEYS = frozenset({_WATCH, *_SPANS, *_COUNTS})
_KEEP_KEYS = frozenset({"by_minutes", "when_left_minutes", "at_most_minutes"})
_SLEEP_KEYS = frozenset({"after_minutes", "pauses", "hold_seconds"})
_WAKE_KEYS = frozenset({"minutes", "at_most_minutes"})


def settle(held: Terms, content: Mapping[str, Json], rules: IdleRules) -> Terms:
    """Return the terms as a content has them; `rules` are the ladder where it has none.

    Raises InvalidInput.
    """
    given = Section({key: content[key] for key in KEYS if key in content}, "", KEYS, noun="project")
    terms = held
    if given.holds(KEEP):
        terms = replace(terms, keep=_keep(given) if given.has(KEEP) else None)
    if given.holds(SCHEDULE):
        hours = str(schedule.parse(given.text(SCHEDULE))) if given.has(SCHEDULE) else ""
        terms = replace(terms, schedule=hours)
    if given.holds(MAINTAIN):
        watched, idle = _maintain(given, rules) if given.has(MAINTAIN) else (None, None)
        terms = replace(terms, maintain=watched, idle=idle)
    if given.holds(SLEEP):
        terms = replace(terms, sleep=_sleep(given, held.sleep) if given.has(SLEEP) else None)
    if given.holds(WAKE):
        terms = replace(terms, wake=_wake(given) if given.has(WAKE) else None)
    return terms


def told(terms: Terms) -> dict[str, Json]:
    """Write terms as a content has them: all of them, null where nothing is settled."""
    maintain: dict[str, Json] | None = None
    if terms.maintain is not None or terms.idle is not None:
        maintain = {
            _WATCH: next(word for word, is_so in _WATCHED.items() if is_so is terms.maintain)
        }
        idle = terms.idle.written() if terms.idle else None
        maintain |= idle if isinstance(idle, dict) else {}
    return {
        KEEP: terms.keep.written() if terms.keep else None,
        SCHEDULE: terms.schedule or None,
        MAINTAIN: maintain,
        SLEEP: terms.sleep.written() if terms.sleep else None,
        WAKE: terms.wake.written() if terms.wake else None,
    }


def require_watchable(content: Mapping[str, Json], opting: Opting) -> None:
    """Raise Conflict where the server's maintainer does not let it be chosen who is watched."""
    given = content.get(MAINTAIN)
    watch = given.get(_WATCH, _ON) if isinstance(given, dict) else None
    if watch == _ON and opting.watched is Watched.NONE:
        raise Conflict(
            "maintain: the maintainer of this server watches no endpoint",
            hint="set maintain.watch to tagged in server.yaml, then: parkade reload",
        )
    if watch == _OFF and opting.watched is Watched.ALL:
        raise Conflict(
            "maintain: the maintainer of this server watches every endpoint (maintain.watch: all)",
            hint="leave maintain out",
        )


def _keep(top: Section) -> Keep:
    given = top.section(KEEP, _KEEP_KEYS)
    return Keep(
        by=given.minutes("by_minutes"),
        when_left=given.minutes("when_left_minutes"),
        at_most=given.minutes("at_most_minutes"),
    )


def _maintain(top: Section, rules: IdleRules) -> tuple[bool | None, IdleRules | None]:
    given = top.section(MAINTAIN, _MAINTAIN_KEYS)
    watch = given.text(_WATCH, _ON)
    if watch not in _WATCHED:
        raise InvalidInput(
            f"{given.at(_WATCH)} {watch[:80]!r} is none of {', '.join(_WATCHED)}",
            field=given.at(_WATCH),
        )
    timers: dict[str, Any] = {}
    for key in _SPANS:
        if given.holds(key):
            span: timedelta | None = given.minutes(key) if given.has(key) else None
            timers[key.removesuffix("_minutes")] = span
    for key in _COUNTS:
        if given.holds(key):
            timers[key] = given.maybe_whole(key)
    for name in ("grace", "window"):
        if name in timers and timers[name] is None:
            del timers[name]
    return _WATCHED[watch], replace(rules, **timers) if timers else None


def _sleep(top: Section, held: Sleep | None) -> Sleep:
    given = top.section(SLEEP, _SLEEP_KEYS)
    wanted = Sleep(
        after=given.minutes("after_minutes") if given.has("after_minutes") else None,
        pauses=given.flag("pauses", default=False),
        hold=given.seconds("hold_seconds"),
    )
    # What is settled already began when it did.
    return held if held is not None and replace(held, since=None) == wanted else wanted


def _wake(top: Section) -> Wake:
    given = top.section(WAKE, _WAKE_KEYS)
    return Wake(minutes=given.minutes("minutes"), at_most=given.minutes("at_most_minutes"))
