"""The AWS access keys of tokens, and the keys that signatures are made with.

Both halves of a token's access key are derived from the server key and the token's stored
digest. So the database holds no secret, every process that has the server key knows all access
keys, and a token that is revoked takes its access key with it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache

#: Derived keys that are remembered; a stream of invented scopes must not fill the memory.
REMEMBERED = 16_384

# A pass code has no blanks, so that no digest of one can come out as one of these.
_ID = b"access key id of "
_SECRET = b"secret access key of "


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """What AWS clients are configured with."""

    id: str
    secret: str = field(repr=False)


@lru_cache(maxsize=REMEMBERED)
def access_key(server_key: bytes, digest: str) -> AccessKey:
    """Return the access key of the token with this digest."""
    identity = hmac.digest(server_key, _ID + digest.encode(), hashlib.sha256)
    secret = hmac.digest(server_key, _SECRET + digest.encode(), hashlib.sha256)
    return AccessKey(
        id="PKIA" + base64.b32encode(identity[:10]).decode(),
        secret=base64.b64encode(secret[:30]).decode(),
    )


@lru_cache(maxsize=REMEMBERED)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Return the key that a secret signs with on one day, in one region, for one service."""
    key = b"AWS4" + secret.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key
