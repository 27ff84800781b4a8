"""Who may invoke what, and how often.

Only digests of tokens are known here. Hashing a header costs more than the rest of a request's
way through the gateway, so what a header's value turned out to be is remembered until the next
snapshot; expiry is looked at each time, against real time.

AWS's signatures differ with every request and cover its body: they are verified when it is
whole, with the access keys that belong to the tokens.
"""

from __future__ import annotations

import hashlib
import hmac
from time import monotonic
from typing import TYPE_CHECKING

from parkade.apps.gateway import answers
from parkade.apps.signing import parsing
from parkade.apps.signing.canonical import Request
from parkade.apps.signing.keys import access_key
from parkade.apps.signing.refusals import Refused, expired_token, unknown_key
from parkade.apps.signing.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from parkade.apps import link
    from parkade.apps.signing.canonical import Headers

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
        #: Tokens by the ids of their access keys, with the secrets; made when first asked for.
        self._signers: dict[str, tuple[_Pass, str]] = {}

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
        self._signers = {}
        self._auth = snapshot.auth
        self._inside = snapshot.inside.encode()

    def refusal(self, credential: bytes, endpoint: str) -> answers.Answer | None:
        """Return why the caller may not invoke the endpoint now; None: it may.

        Every role includes invoking, so a token's role is not asked for. SIGNED says that it
        depends on the whole request: ask `refusal_signed` then.
        """
        if not self._auth:
            return None
        known = self._known.get(credential) or self._holder(credential)
        if known is None:
            return self._refusal_unknown(credential)
        return self._ruling(known, endpoint)

    def refusal_signed(
        self, target: bytes, headers: Headers, body: Iterable[bytes], endpoint: str
    ) -> answers.Answer | None:
        """Return why a signed request, a POST, may not invoke the endpoint now; None: it may."""
        request = Request(method=b"POST", target=target, headers=headers)
        digest = hashlib.sha256()
        for piece in body:
            digest.update(piece)
        now = self._wall()
        try:
            signature = parsing.from_header(request)
            if signature.key_id not in self._all_signers():
                raise unknown_key(signature.key_id)
            known, secret = self._signers[signature.key_id]
            verify(
                request,
                signature,
                service="sagemaker",
                payload=digest.hexdigest(),
                secret=secret,
                now=now,
            )
            if known.expires_at is not None and now >= known.expires_at:
                raise expired_token(known.name, "has expired")
        except Refused as refused:
            return answers.refused(refused)
        return self._ruling(known, endpoint)

    def _refusal_unknown(self, credential: bytes) -> answers.Answer:
        if not credential.startswith(parsing.ALGORITHM):
            return answers.UNAUTHENTICATED
        key_id = parsing.key_id(credential)
        if key_id in self._all_signers():
            return answers.SIGNED
        return answers.refused(unknown_key(key_id) if key_id else parsing.no("Credential"))

    def _ruling(self, known: _Pass, endpoint: str) -> answers.Answer | None:
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

        Who the caller is, and what it may do, is looked at by control itself. So a signed request
        counts for the token whose key it names, be the signature right or not.
        """
        if not self._auth or not credential:
            return 0.0
        known = self._holder(credential)
        if known is None and credential.startswith(parsing.ALGORITHM):
            known, _ = self._all_signers().get(parsing.key_id(credential), (None, ""))
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

    def _all_signers(self) -> dict[str, tuple[_Pass, str]]:
        if not self._signers:
            keys = (
                (access_key(self._key, digest), known) for digest, known in self._passes.items()
            )
            self._signers = {key.id: (known, key.secret) for key, known in keys}
        return self._signers

    def _look_up(self, credential: bytes) -> _Pass | None:
        if credential.startswith(parsing.ALGORITHM):
            return None  # no two of these are the same
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
