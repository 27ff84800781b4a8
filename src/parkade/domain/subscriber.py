"""Subscribers: who hears of which events, by which channel and in which shape."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from parkade.domain import names
from parkade.domain.alarm import State  # noqa: TC001  stores read these forms by their annotations
from parkade.domain.errors import InvalidInput
from parkade.domain.event import PROJECT, is_kind

if TYPE_CHECKING:
    from parkade.domain.event import Event

#: What stands for the address of the event's owner, where the owner's name is an address.
OWNER = "owner"
#: How secrets that sign webhooks begin, by the Standard Webhooks scheme.
SECRET_PREFIX = "whsec_"  # noqa: S105  not a secret: how one begins
#: The subscriber that the setting `warnings.webhook` makes.
BUILT_IN = "warnings.webhook"
#: What tells how a subscriber fares; it is not delivered to that subscriber.
ABOUT_SUBSCRIBERS = ("subscriber.", "letter.")
#: What happens to alarms; the name is in the event's data.
ABOUT_ALARMS = "alarm."
ALARM_CHANGED = "alarm.changed"

_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*\.?")
_PATTERN = re.compile(r"[a-zA-Z0-9*?\-]{1,63}")
#: CloudWatch's limit of an alarm's name.
_ALARM_LIMIT = 255
_ADDRESS = re.compile(r"[^@\s<>,;\"\\]{1,64}@[^@\s<>,;\"\\]{1,190}")


class Channel(StrEnum):
    """How a subscriber is reached."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    SLACK = "slack"
    COMMAND = "command"


class Shape(StrEnum):
    """What is delivered."""

    PARKADE = "parkade"
    EVENTBRIDGE = "eventbridge"
    #: The body that the webhook of `warnings` has had from the first version on.
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which events a subscriber hears of; what is empty lets everything pass.

    Where alarms or projects are named, what happens to those passes by their names alone; all else
    by `endpoints`, and not at all where none is named.
    """

    #: Exact, or of a noun where they end with a dot: `lease.`.
    kinds: tuple[str, ...] = ()
    #: Endpoint names; `*` and `?` stand for any characters, and for any one.
    endpoints: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    #: Names of alarms, with `*` and `?` as well.
    alarms: tuple[str, ...] = ()
    #: Of changes of alarms, those alone that lead into one of these states or out of it.
    alarm_states: tuple[State, ...] = ()
    #: Names of projects, with `*` and `?` as well.
    projects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if len(kind) > 100 or not _KIND.fullmatch(kind):
                raise InvalidInput(
                    f"kinds has {kind[:80]!r}, which no event can be of",
                    field="kinds",
                    hint="write a kind such as lease.extended, or a noun with its dot: lease.",
                )
        for member, patterns in (("endpoints", self.endpoints), ("projects", self.projects)):
            for pattern in patterns:
                if not _PATTERN.fullmatch(pattern):
                    raise InvalidInput(
                        f"{member} has {pattern[:80]!r}, which fits no {member[:-1]}",
                        field=member,
                        hint="write a name, with * for any characters and ? for any one",
                    )
        for pattern in self.alarms:
            if not 1 <= len(pattern) <= _ALARM_LIMIT or not pattern.isprintable():
                raise InvalidInput(
                    f"alarms has {pattern[:80]!r}, which fits no alarm",
                    field="alarms",
                    hint="write a name, with * for any characters and ? for any one",
                )
        for owner in self.owners:
            names.owner_name(owner, field="owners")

    def passes(self, event: Event) -> bool:
        """Tell whether the event is of interest."""
        return (
            (not self.kinds or any(is_kind(event.kind, kind) for kind in self.kinds))
            and self._is_about(event)
            and self._moves(event)
            and (not self.owners or event.owner in self.owners)
        )

    def _is_about(self, event: Event) -> bool:
        named = bool(self.alarms or self.projects)
        if named and event.kind.startswith(ABOUT_ALARMS):
            name = str(event.data.get("name", ""))
            return any(_fits(name, each) for each in self.alarms)
        if self.projects and (project := event.data.get(PROJECT)):
            return any(fnmatchcase(str(project), each) for each in self.projects)
        if self.endpoints:
            return any(fnmatchcase(event.endpoint_name, each) for each in self.endpoints)
        return not named

    def _moves(self, event: Event) -> bool:
        """Tell whether an alarm that changes goes into a state of interest, or out of it."""
        alarm = event.data.get("alarm")
        if not self.alarm_states or event.kind != ALARM_CHANGED or not isinstance(alarm, Mapping):
            return True
        ends = (alarm.get("state"), alarm.get("previousState"))
        return any(
            isinstance(each, Mapping) and each.get("value") in self.alarm_states for each in ends
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One who hears of events. One that exists is usable."""

    name: str
    channel: Channel
    filter: Filter = field(default_factory=Filter)
    shape: Shape = Shape.PARKADE
    enabled: bool = True
    #: WEBHOOK, SLACK: where to; it may hold a secret and is never shown whole.
    url: str = ""
    #: WEBHOOK: what deliveries are signed with; empty: they are not signed.
    secret: str = ""
    #: EMAIL: addresses; `owner` is that of the event's owner.
    to: tuple[str, ...] = ()
    #: COMMAND: a program and its arguments.
    command: tuple[str, ...] = ()
    made_at: datetime | None = None

    def __post_init__(self) -> None:
        names.token_name(self.name)
        given = {
            "url": bool(self.url),
            "secret": bool(self.secret),
            "to": bool(self.to),
            "command": bool(self.command),
        }
        needed, allowed = _MEMBERS[self.channel]
        for member, there in given.items():
            if there and member not in {needed, *allowed}:
                raise InvalidInput(
                    f"{member} does not go with a subscriber of kind {self.channel}",
                    field=member,
                    hint=f"leave it out; it needs {needed}",
                )
        if not given[needed]:
            raise InvalidInput(
                f"{needed} is missing", field=needed, hint=f"a {self.channel} needs {needed}"
            )
        if self.shape is not Shape.PARKADE and self.channel in {Channel.EMAIL, Channel.SLACK}:
            raise InvalidInput(
                f"a subscriber of kind {self.channel} has no shape: it gets a text for people",
                field="shape",
                hint="leave shape out",
            )
        require_url(self.url)
        _require_addresses(self.to)
        if self.secret:
            signing_key(self.secret)
        if any("\0" in word for word in self.command):
            raise InvalidInput("command has a word with a zero byte", field="command")

    def hears(self, event: Event) -> bool:
        """Tell whether the event is to be delivered: never word of how its own delivery goes."""
        own = event.kind.startswith(ABOUT_SUBSCRIBERS) and event.data.get("name") == self.name
        return not own and self.filter.passes(event)

    @property
    def address(self) -> str:
        """Where it is reached, as far as that may be shown."""
        if self.url:
            parts = urlsplit(self.url)
            host = parts.netloc.rpartition("@")[2]
            return f"{parts.scheme}://{host}{'/...' if parts.path.strip('/') else ''}"
        return ", ".join(self.to) if self.to else self.command[0]


def _fits(name: str, pattern: str) -> bool:
    """Tell whether an alarm's name fits; brackets, which names may have, stand for themselves."""
    return fnmatchcase(name, pattern.replace("[", "[[]"))


#: What each channel needs, and what else it may have.
_MEMBERS: dict[Channel, tuple[str, frozenset[str]]] = {
    Channel.WEBHOOK: ("url", frozenset({"secret"})),
    Channel.SLACK: ("url", frozenset()),
    Channel.EMAIL: ("to", frozenset()),
    Channel.COMMAND: ("command", frozenset()),
}


def signing_key(secret: str) -> bytes:
    """Return the key that a `whsec_` secret holds. Raises InvalidInput, which does not quote it."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not 16 <= len(key) <= 64:
        raise InvalidInput(
            "secret is not one that webhooks are signed with",
            field="secret",
            hint=f"write {SECRET_PREFIX} and 24 to 64 random bytes in base 64; left out, one is "
            "made",
        )
    return key


def require_url(url: str, *, field: str = "url") -> None:
    """Raise InvalidInput, which does not quote it, where the URL cannot be posted to."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > 2048 or any(c.isspace() or ord(c) < 32 for c in url):
        raise InvalidInput(
            f"{field} is not one that can be posted to",
            field=field,
            hint="write https://host/path, of at most 2048 characters",
        )


def _require_addresses(addresses: tuple[str, ...]) -> None:
    for address in addresses:
        if address != OWNER and not _ADDRESS.fullmatch(address):
            raise InvalidInput(
                f"to has {address[:80]!r}, which is not an e-mail address",
                field="to",
                hint=f"write ann@example.com; {OWNER!r} is the owner of the event's endpoint",
            )


def recipients(to: tuple[str, ...], owner: str) -> tuple[str, ...]:
    """Return the addresses that mail about this owner's endpoint goes to, each once."""
    given = (owner if each == OWNER else each for each in to)
    return tuple(dict.fromkeys(each for each in given if _ADDRESS.fullmatch(each)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often an event is tried, and how long is waited in between: doubling, with jitter."""

    attempts: int = 12
    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a subscriber has got in the history, and how its delivery fares."""

    subscriber: str
    #: All events up to this number are delivered, are letters, or are of no interest to it.
    number: int
    #: Tries of the event that is next.
    attempts: int = 0
    #: Since when nothing could be delivered, and what was said last.
    failing_since: datetime | None = None
    cause: str = ""
    delivered_at: datetime | None = None
    #: Whether it was told that delivery fails for good.
    told: bool = False

    def delivered(self, number: int, now: datetime) -> Progress:
        """Return it after the event of this number was taken."""
        return replace(
            self,
            number=number,
            attempts=0,
            failing_since=None,
            cause="",
            delivered_at=now,
            told=False,
        )

    def failed(self, cause: str, now: datetime) -> Progress:
        """Return it after one more try was in vain."""
        return replace(
            self,
            attempts=self.attempts + 1,
            failing_since=self.failing_since or now,
            cause=cause,
        )

    def passed(self, number: int) -> Progress:
        """Return it beyond events that need no delivery, or have become letters."""
        return replace(self, number=number, attempts=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An event that could not be delivered: kept until somebody resends or drops it."""

    subscriber: str
    event_number: int
    event_kind: str
    endpoint_name: str
    attempts: int
    #: What was said last.
    cause: str
    buried_at: datetime
    #: Given by the store; 0 before it is stored.
    id: int = 0
