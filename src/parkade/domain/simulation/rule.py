"""The rules that a simulation compares, and how they are written down.

    office or a coin: lease=60 idle=3x5 schedule='mon-fri 09:00-17:00 Europe/Berlin'

A rule says who pays: without `lease` and `schedule` it is paid all the time. What a rule does not
say is its default, and every default is told beside the results.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.domain import schedule
from parkade.domain.errors import InvalidInput
from parkade.domain.idle import IdleRules
from parkade.domain.names import suggestion
from parkade.domain.terms import Keep, Sleep

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"\s*([^=:]*?)\s*:(?:\s+|\Z)(.*)", re.DOTALL)
#: No rule is about longer spans.
_MOST = timedelta(days=366)
_HINT = "write it like --rule \"hour: lease=60 idle=3x5 schedule='mon-fri 09:00-17:00 UTC'\""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How the time of an endpoint is paid for, and what ends it."""

    name: str
    #: What somebody pays whose request met it stopped; None: nobody does.
    lease: timedelta | None = None
    #: How long after that request they pay.
    back: timedelta = timedelta(minutes=1)
    #: When idleness stops it; None: never.
    idle: IdleRules | None = None
    #: Extension by use.
    keep: Keep | None = None
    #: Office hours in which it is paid for.
    schedule: str = ""
    #: How long without a request until it sleeps, until the next one wakes it; None: never.
    sleep: timedelta | None = None
    #: From the beginning of a start, or the request that wakes it, until it serves.
    start: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        if self.sleep is not None:
            try:
                Sleep(after=self.sleep)
            except InvalidInput as error:
                raise _wrong(self.name, error.message) from error
        if self.idle and not (self.lease or self.schedule):
            raise _wrong(
                self.name,
                "idle stops it, and nothing starts it again",
                "add lease=60, which somebody pays then, or a schedule",
            )
        if self.keep and not self.lease:
            raise _wrong(
                self.name, "keep extends a lease, and there is none", "add lease=60, or leave it"
            )

    @property
    def always(self) -> bool:
        """Whether it is paid for all the time."""
        return self.lease is None and not self.schedule


ALWAYS = Rule(name="always on")

#: What is compared where nobody says what: each stands for a way that people run endpoints.
DEFAULTS = (
    "always on:",
    "office hours: schedule='mon-fri 09:00-18:00 UTC'",
    "a coin of 4 h: lease=240",
    "a coin of 1 h: lease=60",
    "8 h, idle 15 min: lease=480 idle=3x5",
    "kept by use: lease=30 keep=15/5/480",
    "office or a coin: schedule='mon-fri 09:00-18:00 UTC' lease=60 idle=3x5",
    "sleep after 10 min: sleep=10",
)


def parse(text: str, *, start: timedelta | None = None) -> Rule:
    """Read a rule; `start` is for one that names none. Raises InvalidInput, saying what is wrong."""
    named = _NAME.match(text)
    name, body = (named[1], named[2]) if named else (text.strip(), text)
    if not name:
        raise _wrong(text, "it has no name")
    try:
        words = shlex.split(body)
    except ValueError as error:
        raise _wrong(name, "a quotation mark is missing") from error
    given: dict[str, Any] = {} if start is None else {"start": start}
    seen = set()
    for word in words:
        key, equals, value = word.partition("=")
        if key not in _READERS:
            known = "known are " + ", ".join(_READERS)
            raise _wrong(name, f"unknown {key!r}", suggestion(key, _READERS) or known)
        if key in seen:
            raise _wrong(name, f"{key} is given twice", "give it once")
        seen.add(key)
        read, example = _READERS[key]
        try:
            given[key] = read(value)
        except InvalidInput as error:  # of a schedule, which knows best what is wrong with it
            raise _wrong(name, error.message, error.hint) from error
        except (ValueError, OverflowError) as error:
            said = f"{key}={value} is not understood" if equals else f"{key} has no value"
            raise _wrong(name, said, f"write it like {example}") from error
    if "grace" in given:
        if "idle" not in given:
            raise _wrong(name, "grace is the time before idle=, which is missing", "add idle=3x5")
        given["idle"] = replace(given["idle"], grace=given.pop("grace"))
    return Rule(name=name, **given)


def _minutes(text: str) -> timedelta:
    return _span(timedelta(minutes=float(text)))


def _minutes_or_none(text: str) -> timedelta:
    return _span(timedelta(minutes=float(text)), least=timedelta(0))


def _seconds(text: str) -> timedelta:
    return _span(timedelta(seconds=float(text)), least=timedelta(0))


def _span(span: timedelta, least: timedelta = timedelta(seconds=1)) -> timedelta:
    if not least <= span <= _MOST:
        raise ValueError(span)
    return span


def _idle(text: str) -> IdleRules:
    windows, _, length = text.partition("x")
    stop_after = int(windows)
    if stop_after < 1:
        raise ValueError(text)
    # Nobody is there to hear a notice.
    return IdleRules(window=_minutes(length), notice_after=None, stop_after=stop_after)


def _keep(text: str) -> Keep:
    by, when_left, at_most = map(_minutes, text.split("/"))
    return Keep(by=by, when_left=when_left, at_most=at_most)


def _schedule(text: str) -> str:
    schedule.parse(text)
    return text


#: How each word of a rule is read, and an example of it.
_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "lease": (_minutes, "lease=60, in minutes"),
    "back": (_minutes_or_none, "back=5, in minutes"),
    "idle": (_idle, "idle=3x5, three windows of 5 minutes"),
    "grace": (_minutes_or_none, "grace=5, in minutes"),
    "keep": (_keep, "keep=15/5/120, minutes: by / when so little is left / at most"),
    "schedule": (_schedule, "schedule='mon-fri 09:00-17:00 Europe/Berlin'"),
    "sleep": (_minutes, "sleep=10, in minutes"),
    "start": (_seconds, "start=45, in seconds"),
}


def _wrong(name: str, what: str, hint: str = _HINT) -> InvalidInput:
    return InvalidInput(f"--rule {name!r}: {what}", field="rule", hint=hint)
