"""Verifies a signature: that its key's secret made it, for this request, and just now."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parkade.apps.signing import canonical
from parkade.apps.signing.keys import signing_key
from parkade.apps.signing.parsing import ALGORITHM, Signature
from parkade.apps.signing.refusals import Reason, Refused, mismatch, over, written

if TYPE_CHECKING:
    from parkade.apps.signing.canonical import Request
    from parkade.apps.signing.refusals import Service

#: Seconds by which the clocks of client and server may differ.
SKEW = 300
UNSIGNED = "UNSIGNED-PAYLOAD"

#: Such headers change what a request means; one that is not signed was put in by somebody else.
_MEANT = b"x-amz-"
#: These need no signature of their own: they are part of it, or are not looked at. Parkade gives
#: no session tokens, so that one can only be left over from another account's environment; key id
#: and signature say all.
_FREE = frozenset({b"x-amz-date", b"x-amz-content-sha256", b"x-amz-security-token"})
_CLOCK = "set the clock of the client's machine, or of the server's: they must agree to 5 minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A verified signature, by which the pieces of a streamed body are verified in turn."""

    stamp: str
    scope: str
    signature: str
    key: bytes = field(repr=False)


def verify(
    request: Request,
    signature: Signature,
    *,
    service: Service,
    payload: str,
    secret: str,
    now: float,
) -> Seal:
    """Return the seal of a request that `secret` signed for `service`, now. Raises Refused.

    `payload` is the SHA-256 of the body in hex, or the word that stands for it.
    """
    _require_scope(signature, service)
    _require_time(signature, now)
    _require_headers(request, signature)
    asked = canonical.request(
        request,
        service=service,
        query=signature.query,
        signed=signature.signed_headers,
        payload=payload.encode(),
    )
    text = b"\n".join((
        ALGORITHM,
        signature.stamp.encode(),
        signature.scope.encode(),
        hashlib.sha256(asked).hexdigest().encode(),
    ))  # fmt: skip
    key = signing_key(secret, signature.date, signature.region, signature.service)
    if not hmac.compare_digest(sign(key, text), signature.value):
        raise mismatch()
    return Seal(stamp=signature.stamp, scope=signature.scope, signature=signature.value, key=key)


def sign(key: bytes, text: bytes) -> str:
    """Return a signature."""
    return hmac.digest(key, text, hashlib.sha256).hex()


def _require_scope(signature: Signature, service: Service) -> None:
    if signature.service != service:
        raise Refused(
            Reason.MISMATCH,
            f"Credential should be scoped to correct service: {service!r}, not "
            f"{signature.service!r}.",
            hint="point each service's client at its own address: parkade env --aws",
        )
    if signature.date != signature.stamp[:8]:
        raise Refused(
            Reason.MISMATCH,
            f"Date in Credential scope does not match the day of the request: {signature.date!r} "
            f"is not {signature.stamp[:8]!r}.",
            hint="use the day of X-Amz-Date in the Credential",
        )


def _require_time(signature: Signature, now: float) -> None:
    if signature.at > now + SKEW:
        raise Refused(
            Reason.SKEWED,
            f"Signature not yet current: {signature.stamp} is still later than "
            f"{written(now + SKEW)} ({written(now)} + 5 min.).",
            hint=_CLOCK,
        )
    if signature.expires is None:
        if signature.at < now - SKEW:
            raise Refused(
                Reason.SKEWED,
                f"Signature expired: {signature.stamp} is now earlier than "
                f"{written(now - SKEW)} ({written(now)} - 5 min.). The difference between the "
                "request time and the current time is too large.",
                hint=_CLOCK,
            )
    elif now > signature.at + signature.expires:
        raise over(signature.at + signature.expires)


def _require_headers(request: Request, signature: Signature) -> None:
    signed = set(signature.signed_headers)
    if b"host" not in signed:
        raise Refused(Reason.MISMATCH, "'Host' must be a 'SignedHeader' in the AWS Authorization.")
    loose = sorted({
        name.lower().decode("latin-1")
        for name, _ in request.headers
        if name.lower().startswith(_MEANT) and name.lower() not in signed | _FREE
    })  # fmt: skip
    if loose:
        raise Refused(
            Reason.DENIED,
            "There were headers present in the request which were not signed: "
            f"{', '.join(loose)[:300]}.",
            hint="sign every header whose name begins with x-amz-, or do not send it",
        )
