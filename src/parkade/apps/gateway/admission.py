"""Who may invoke what, and how often.

Only digests of tokens are known here. Hashing a header costs more than the rest of a request's
way through the gateway, so what a header's value turned out to be is remembered until the next
snapshot; expiry is looked at each time, against real time.
"""

from __future__ import annotations

import hmac
from time import monotonic
from typing import TYPE_CHECKING

from parkade.apps.gateway import answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps import link

#: Headers whose meaning is remembered; a flood of invented tokens must not fill the memory.
REMEMBERED = 10_000


class Bucket:
    """A token bucket: `burst` requests at once, `rate` a second for long."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = monotonic()

    def resize(self, rate: float, burst: float) -> None:
        """Go on under another rate; what was used stays used."""
        self._rate = rate
        self._left = min(self._left, burst)
        self._burst = burst

    def take(self) -> float:
        """Take one request out and return 0, or the seconds until there is one."""
        now = monotonic()
        left = self._left + (now - self._at) * self._rate
        self._left = min(left, self._burst)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0


class _Pass:
    """What is known of one token."""

    __slots__ = ("bucket", "endpoints", "expires_at", "name")

    def __init__(self, token: link.TokenView, bucket: Bucket) -> None:
        self.name = token.name
        self.endpoints = frozenset(token.endpoints)
        self.expires_at = token.expires_at
        self.bucket = bucket


class Admission:
    """Decides on one invocation. `wall` tells real time in seconds of the epoch."""

    def __init__(self, key: bytes, wall: Callable[[], float]) -> None:
        self._key = key
        self._wall = wall
        # Before the first snapshot nobody is refused for a token, for none is known.
        self._auth = False
        self._inside = b""
        self._passes: dict[str, _Pass] = {}
        self._known: dict[bytes, _Pass | None] = {}

    def apply(self, snapshot: link.Snapshot) -> None:
        """Take up the snapshot's tokens; how much of its rate a token has used is kept."""
        limits = snapshot.limits
        passes = {}
        for token in snapshot.tokens:
            former = self._passes.get(token.digest)
            bucket = former.bucket if former is not None else Bucket(limits.rate, limits.burst)
            bucket.resize(limits.rate, limits.burst)
            passes[token.digest] = _Pass(token, bucket)
        self._passes = passes
        self._known = {}
        self._auth = snapshot.auth
        self._inside = snapshot.inside.encode()

    def refusal(self, credential: bytes, endpoint: str) -> answers.Answer | None:
        """Return why the caller may not invoke the endpoint now; None: it may.

        Every role includes invoking, so a token's role is not asked for.
        """
        if not self._auth:
            return None
        known = self._holder(credential)
        if known is None:
            return answers.UNAUTHENTICATED
        if known.expires_at is not None and self._wall() >= known.expires_at:
            return answers.UNAUTHENTICATED
        seconds = known.bucket.take()
        if seconds:
            return answers.throttled(seconds)
        if known.endpoints and endpoint not in known.endpoints:
            return answers.forbidden(known.name, endpoint)
        return None

    def delay(self, credential: bytes) -> float:
        """Return the seconds until the caller may ask control for something; 0: now.

        Who the caller is, and what it may do, is looked at by control itself.
        """
        known = self._holder(credential) if self._auth and credential else None
        return 0.0 if known is None else known.bucket.take()

    def refusal_inside(self, credential: bytes) -> answers.Answer | None:
        """Return why a caller on the inside socket is none of Parkade's own; None: it is."""
        if self._inside and hmac.compare_digest(_secret(credential), self._inside):
            return None
        return answers.UNAUTHENTICATED

    def _holder(self, credential: bytes) -> _Pass | None:
        try:
            return self._known[credential]
        except KeyError:
            return self._look_up(credential)

    def _look_up(self, credential: bytes) -> _Pass | None:
        digest = hmac.new(self._key, _secret(credential), "sha256").hexdigest()
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        known = self._known[credential] = self._passes.get(digest)
        return known


def _secret(credential: bytes) -> bytes:
    """Return the token of a header value, which is it or `Bearer` and it."""
    if credential[:7].lower() == b"bearer ":
        return credential[7:].strip()
    return credential
