"""Who calls one of AWS's services at the control process: by signature, or by a plain token.

Every token may sign: its access key is made of it, so role, endpoints, expiry and revocation
are the token's. Where no tokens are asked for, any signature is taken unread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.apps.api import auth
from parkade.apps.signing import bodies, legacy, parsing
from parkade.apps.signing.canonical import Request
from parkade.apps.signing.keys import access_key
from parkade.apps.signing.legacy import LegacySignature
from parkade.apps.signing.refusals import Reason, Refused, expired_token, unknown_key
from parkade.apps.signing.verification import UNSIGNED, verify
from parkade.domain.errors import Unauthenticated
from parkade.domain.token import Role

if TYPE_CHECKING:
    from parkade.apps.assembly import Services
    from parkade.apps.signing.bodies import Body
    from parkade.apps.signing.canonical import Headers
    from parkade.apps.signing.parsing import Signature
    from parkade.apps.signing.refusals import Service
    from parkade.apps.signing.verification import Seal
    from parkade.domain.token import Token

_SCHEMES = (b"AWS4-", b"AWS ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The token that a request was made with, and what the request declares of its body."""

    token: Token
    declared: str
    #: The length of the content where the body is framed in AWS's chunks.
    length: int | None
    seal: Seal | None

    def body(self) -> Body:
        """Return a reader for the body of an S3 request, which may be anything. Raises Refused."""
        return bodies.reader(self.declared, seal=self.seal, length=self.length)


def authenticate(
    services: Services,
    *,
    service: Service,
    method: str,
    target: bytes,
    headers: Headers,
    payload_hash: str | None = None,
) -> Caller:
    """Return the caller of an operation of `service`.

    `target` is path and query as they were sent; `payload_hash` is the body's SHA-256 in hex, or
    None for S3: then it is what the request declares, and the body has to go through
    `Caller.body`. Raises Refused, whose `code` and `status` are the service's, and Forbidden for
    a web page of somebody else's.
    """
    request = Request(method=method.encode(), target=target, headers=headers)
    signature = _signature(request, service) if services.settings.auth else None
    by_query = signature is not None and signature.by_query
    declared = _declared(request, by_query=by_query)
    if signature is None:
        token, seal = _bearer(services, request), None
    else:
        token, seal = _signer(services, request, service, signature, payload_hash or declared)
    return Caller(
        token=token,
        declared=declared or UNSIGNED,
        length=_length(request),
        seal=seal,
    )


def _signature(request: Request, service: Service) -> Signature | LegacySignature | None:
    """Return the signature that the request comes with; None: it comes with none."""
    credential = request.header(b"authorization") or b""
    if credential:
        return parsing.from_header(request) if credential.startswith(_SCHEMES) else None
    if parsing.presigned(request):
        return parsing.from_query(request)
    return legacy.read(request) if service == "s3" else None


def _signer(
    services: Services,
    request: Request,
    service: Service,
    signature: Signature | LegacySignature,
    payload: str,
) -> tuple[Token, Seal | None]:
    if not payload:
        raise Refused(
            Reason.INCOMPLETE,
            "Missing required header for this request: x-amz-content-sha256.",
            hint="use an S3 client that signs with signature version 4",
        )
    now = services.wall.now()
    token, secret = _holder(services, signature.key_id)
    seal = None
    if isinstance(signature, LegacySignature):
        legacy.verify(request, signature, secret=secret, now=now.timestamp())
    else:
        seal = verify(
            request,
            signature,
            service=service,
            payload=payload,
            secret=secret,
            now=now.timestamp(),
        )
    if not token.live(now):
        raise expired_token(token.name, "was revoked" if token.revoked_at else "has expired")
    return token, seal


def _holder(services: Services, key_id: str) -> tuple[Token, str]:
    """Return the token with this access key, and the secret. Raises Refused."""
    for token in services.tokens.all():
        key = access_key(services.server_key, token.digest)
        if key.id == key_id:
            return token, key.secret
    raise unknown_key(key_id)


def _bearer(services: Services, request: Request) -> Token:
    texts = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers
    }
    try:
        return auth.admit(services, texts, Role.INVOKER)
    except Unauthenticated as error:
        reason = Reason.UNKNOWN_KEY if texts.get("authorization") else Reason.MISSING
        raise Refused(reason, f"{error.message[:1].upper()}{error.message[1:]}.") from error


def _declared(request: Request, *, by_query: bool) -> str:
    """Return what stands for the body's hash; empty where a signature should have come with it."""
    header = request.header(b"x-amz-content-sha256")
    if header is None and by_query:
        header = dict(request.query()).get(b"X-Amz-Content-Sha256", UNSIGNED.encode())
    return (header or b"").decode("latin-1")


def _length(request: Request) -> int | None:
    text = request.header(b"x-amz-decoded-content-length") or b""
    return int(text) if text.isdigit() and len(text) < 20 else None
