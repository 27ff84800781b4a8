"""One POST to a receiver that may be slow, wrong or not there, within bounds.

Redirects are not followed, and of the answer only its head is read. A limit holds for the whole
exchange, since a receiver that sends a byte now and then passes any limit on single steps.
"""

from __future__ import annotations

import asyncio
import functools
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from parkade.domain.errors import Undelivered

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

#: bytes. EventBridge's own limit on an event.
BODY_LIMIT = 256 * 1024
#: Answers after which asking again may help; 5xx besides.
_PASSING = frozenset({
    httpx.codes.REQUEST_TIMEOUT,
    httpx.codes.CONFLICT,
    httpx.codes.TOO_EARLY,
    httpx.codes.TOO_MANY_REQUESTS,
})  # fmt: skip


def post(url: str, body: bytes, headers: Mapping[str, str], patience: float) -> None:
    """POST the body, in `patience` seconds. Raises Undelivered, which does not name the URL."""
    if len(body) > BODY_LIMIT:
        raise Undelivered(
            f"it is larger than {BODY_LIMIT} bytes, which is the most that is posted", final=True
        )
    status, asked = asyncio.run(_exchange(url, body, headers, patience))
    if httpx.codes.is_success(status):
        return
    passing = status in _PASSING or status >= httpx.codes.INTERNAL_SERVER_ERROR
    raise Undelivered(
        f"the receiver answered {status}", final=not passing, retry_after=_asked(asked)
    )


async def _exchange(
    url: str, body: bytes, headers: Mapping[str, str], patience: float
) -> tuple[int, str]:
    try:
        async with (
            asyncio.timeout(patience),
            httpx.AsyncClient(timeout=patience, verify=_trusted()) as client,
            client.stream("POST", url, content=body, headers=dict(headers)) as answer,
        ):
            return answer.status_code, answer.headers.get("retry-after", "")
    except TimeoutError as error:
        raise Undelivered(f"the receiver took longer than {patience:g} s") from error
    except httpx.TransportError as error:
        raise Undelivered(
            f"the receiver cannot be reached ({type(error).__name__}: {error})"
        ) from error
    except (httpx.InvalidURL, ValueError) as error:
        raise Undelivered("its url cannot be posted to", final=True) from error


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Return whom to trust; reading that takes longer than a delivery does."""
    return httpx.create_ssl_context()


def _asked(text: str) -> timedelta:
    """Return the pause that Retry-After asks for; a date is not counted from any clock here."""
    return (
        timedelta(seconds=int(text)) if re.fullmatch(r"[0-9]{1,6}", text.strip()) else timedelta()
    )
