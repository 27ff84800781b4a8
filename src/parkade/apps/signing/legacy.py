"""S3's presigned addresses of the former kind, signature version 2.

boto3 and `aws s3 presign` still make these where nothing else is configured and the region is
an old one, such as us-east-1, which is our default. Nothing else is signed this way here.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from parkade.apps.signing.refusals import Reason, Refused, mismatch, over

if TYPE_CHECKING:
    from parkade.apps.signing.canonical import Request

#: Where S3 is spoken. Such signatures are made over bucket and key alone.
DOOR = b"/s3"
#: The parameters that name what is asked for; others are not signed.
_NAMING = frozenset({
    b"acl", b"cors", b"delete", b"lifecycle", b"location", b"logging", b"notification",
    b"partNumber", b"policy", b"requestPayment", b"restore", b"tagging", b"torrent", b"uploadId",
    b"uploads", b"versionId", b"versioning", b"versions", b"website",
    b"response-cache-control", b"response-content-disposition", b"response-content-encoding",
    b"response-content-language", b"response-content-type", b"response-expires",
})  # fmt: skip
_HEADERS = (b"content-md5", b"content-type")


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacySignature:
    """What an address says of its signature; nothing of it is verified."""

    key_id: str
    expires: bytes
    value: bytes
    #: As of the newer kind of signature: it stands in the query.
    by_query: Literal[True] = True


def read(request: Request) -> LegacySignature | None:
    """Return the signature of an address; None: it has none of this kind. Raises Refused."""
    if b"AWSAccessKeyId=" not in request.target:
        return None
    given = dict(request.query())
    expires = given.get(b"Expires", b"")
    if not expires.isdigit() or len(expires) > 12 or b"Signature" not in given:
        raise Refused(
            Reason.INCOMPLETE_QUERY,
            "The address needs AWSAccessKeyId, Signature, and Expires in seconds of the epoch.",
            hint="have it made by an AWS SDK, or by: aws s3 presign",
        )
    return LegacySignature(
        key_id=given.get(b"AWSAccessKeyId", b"").decode("latin-1"),
        expires=expires,
        value=given[b"Signature"],
    )


def verify(request: Request, signature: LegacySignature, *, secret: str, now: float) -> None:
    """Raise Refused unless `secret` signed the address, and its time is not over."""
    until = int(signature.expires)
    if now > until:
        raise over(until)
    text = b"\n".join((
        request.method,
        *(request.header(name) or b"" for name in _HEADERS),
        signature.expires,
        *_own_headers(request),
        _resource(request),
    ))  # fmt: skip
    expected = base64.b64encode(hmac.digest(secret.encode(), text, "sha1"))
    if not hmac.compare_digest(expected, signature.value):
        raise mismatch()


def _own_headers(request: Request) -> list[bytes]:
    """Return the lines of Amazon's own headers; the address may bring them in its query."""
    names = {name.lower() for name, _ in request.headers}
    found = {name: value for name, value in request.query() if name not in names}
    found |= {name: request.header(name) or b"" for name in names}
    return [b"%b:%b" % pair for pair in sorted(found.items()) if pair[0].startswith(b"x-amz-")]


def _resource(request: Request) -> bytes:
    path = request.split()[0].removeprefix(DOOR)
    if path.count(b"/") == 1 and path != b"/":
        path += b"/"
    named = sorted(pair for pair in request.query() if pair[0] in _NAMING)
    query = b"&".join(b"%b=%b" % pair if pair[1] else pair[0] for pair in named)
    return b"%b?%b" % (path, query) if query else path
