"""Links: what a notice brings along so that its reader can add time without a login.

A link says for which lease, how much, until when, and a nonce that makes it count once. It is
signed, not secret in itself: whoever holds one can add that much time to that lease, once.

    token = base64url(payload) "." base64url(HMAC-SHA256(key, payload))
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Characters; no link of ours is longer.
_LIMIT = 1024


class LinkState(StrEnum):
    """What a link is good for at this moment."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    #: The lease it is for is not there any more.
    GONE = "gone"
    #: Not one of ours, or cut off on its way.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The right to add `amount` to one lease, once, before `expires_at`."""

    endpoint_name: str
    #: When the lease was made: a later one of the same name is another.
    lease_made_at: datetime
    amount: timedelta
    expires_at: datetime
    nonce: str


def link_key(server_key: bytes) -> bytes:
    """Return the key that links are signed with; it is good for nothing else."""
    return hmac.new(server_key, b"parkade extend link", hashlib.sha256).digest()


def signed(link: Link, key: bytes) -> str:
    """Return the link as the token that stands in a URL."""
    payload = json.dumps(
        [
            link.endpoint_name,
            _number(link.lease_made_at),
            link.amount // _MICROSECOND,
            _number(link.expires_at),
            link.nonce,
        ],
        separators=(",", ":"),
    ).encode()
    return f"{_text(payload)}.{_text(_mac(key, payload))}"


def opened(token: str, key: bytes) -> Link | None:
    """Return the link that this key has signed; None where it is another's, or damaged."""
    body, dot, mac = token.partition(".")
    if not dot or len(token) > _LIMIT or not token.isascii():
        return None
    try:
        payload, given = _bytes(body), _bytes(mac)
    except (binascii.Error, ValueError):
        return None
    if not hmac.compare_digest(_mac(key, payload), given):
        return None
    if f"{_text(payload)}.{_text(given)}" != token:  # another spelling of it
        return None
    # It is as we wrote it: the signature says so.
    name, made_at, amount, expires_at, nonce = json.loads(payload)
    return Link(
        endpoint_name=name,
        lease_made_at=_EPOCH + made_at * _MICROSECOND,
        amount=amount * _MICROSECOND,
        expires_at=_EPOCH + expires_at * _MICROSECOND,
        nonce=nonce,
    )


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.new(key, payload, hashlib.sha256).digest()


def _number(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
