"""What all doors do with a request: read it up to a limit, and know who sent it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from parkade.apps.signing.callers import authenticate

if TYPE_CHECKING:
    from starlette.requests import Request

    from parkade.apps.assembly import Services
    from parkade.apps.signing.refusals import Service
    from parkade.domain.token import Token


async def read(request: Request, limit: int) -> bytes | None:
    """Return the body; None where it is longer than `limit`."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)


def caller(services: Services, service: Service, request: Request, body: bytes) -> Token:
    """Return the token that the request is signed, or sent, with. Raises Refused, Forbidden."""
    query = request.scope["query_string"]
    return authenticate(
        services,
        service=service,
        method=request.method,
        target=request.scope["raw_path"] + (b"?" + query if query else b""),
        headers=request.headers.raw,
        payload_hash=hashlib.sha256(body).hexdigest(),
    ).token
