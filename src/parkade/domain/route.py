"""What a route may ask of its callers, and promise them: a rate, a time limit, the same variant."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from parkade.domain.errors import InvalidInput

#: Requests a second, and at once, that a rate may name: far beyond what a gateway carries.
RATE_LIMIT = 1_000_000
#: Seconds that a route may give a model: an hour, as asynchronous invocations have.
TIMEOUT_LIMIT = 3600
#: Characters of the name of a header or a cookie.
NAME_LIMIT = 100
#: RFC 9110's word for a word; names of cookies are the same.
_WORD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Headers that tell of the connection or of the body, and no caller from another.
_NO_CALLERS = frozenset({
    "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type",
    "cookie", "expect", "host", "transfer-encoding",
})  # fmt: skip
#: Browsers take cookies with these prefixes under conditions that a route may not meet.
_PREFIXES = ("__secure-", "__host-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often all callers of a route together may call: a token bucket."""

    #: For long.
    per_second: float
    #: At once.
    burst: int

    def __post_init__(self) -> None:
        number = self.per_second
        if isinstance(number, bool) or not (0 < number <= RATE_LIMIT):  # nan is neither
            raise InvalidInput(
                f"rate {number} a second is none",
                field="rate.per_second",
                hint=f"give requests a second, more than 0 and up to {RATE_LIMIT}",
            )
        burst: object = self.burst
        if isinstance(burst, bool) or not isinstance(burst, int) or not 1 <= burst <= RATE_LIMIT:
            raise InvalidInput(
                f"burst {burst} is none",
                field="rate.burst",
                hint=f"give a whole number of requests from 1 to {RATE_LIMIT}",
            )

    def __str__(self) -> str:
        """Write it for people: `10/s, 20 at once`."""
        return f"{self.per_second:g}/s, {self.burst} at once"


def rate(per_second: float, burst: int | None = None) -> Rate:
    """Return a rate; without a burst, as many requests at once as in a second."""
    if burst is None:
        whole = math.isfinite(per_second)
        burst = max(1, math.ceil(per_second)) if whole else 1
    return Rate(per_second=per_second, burst=burst)


class Mark(StrEnum):
    """What tells one caller from another."""

    HEADER = "header"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sticky:
    """The same caller gets the same variant; who that is, a header or a cookie tells."""

    mark: Mark
    #: Of the header or the cookie.
    name: str

    def __post_init__(self) -> None:
        field = f"sticky.{self.mark}"
        if len(self.name) > NAME_LIMIT or not _WORD.fullmatch(self.name):
            raise InvalidInput(
                f"{field} {self.name[:80]!r} is not the name of a {self.mark}",
                field=field,
                hint=f"use 1 to {NAME_LIMIT} letters, digits, '-' and '_'",
            )
        plain = self.name.lower()
        if self.mark is Mark.HEADER and plain in _NO_CALLERS:
            raise InvalidInput(
                f"{field} {self.name!r} does not tell one caller from another",
                field=field,
                hint="name a header of your own, such as X-User; for a cookie name that",
            )
        if self.mark is Mark.COOKIE and plain.startswith(_PREFIXES):
            raise InvalidInput(
                f"{field} {self.name!r} begins with a prefix that browsers have rules for",
                field=field,
                hint="leave the prefix out",
            )

    def __str__(self) -> str:
        """Write it for people: `header X-User`."""
        return f"{self.mark} {self.name}"


def timeout(seconds: float) -> float:
    """Return the seconds that a route gives a model, if it may. Raises InvalidInput."""
    if isinstance(seconds, bool) or not (0 < seconds <= TIMEOUT_LIMIT):
        raise InvalidInput(
            f"timeout_seconds {seconds} is none",
            field="timeout_seconds",
            hint=f"give seconds, more than 0 and up to {TIMEOUT_LIMIT}",
        )
    return float(seconds)
