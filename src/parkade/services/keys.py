"""Idempotency keys: a request that is sent again with its key is carried out once."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.ports.leases import Coin

if TYPE_CHECKING:
    from datetime import datetime, timedelta

KEY_LIMIT = 255


def coin(endpoint_name: str, actor: str, key: str | None, request: str) -> Coin | None:
    """Return what a request spends for its key, if it has one. Raises InvalidInput if unusable."""
    return None if key is None else _keyed(endpoint_name, actor, key, request)


def extension_coin(endpoint_name: str, actor: str, key: str, amount: timedelta) -> Coin:
    """Return the coin that `extend` spends for this key. Raises InvalidInput for a key too long."""
    return _keyed(endpoint_name, actor, key, f"extend {asked(amount)}")


def let_coin(
    endpoint_name: str, actor: str, key: str, config_name: str, amount: timedelta | None
) -> Coin:
    """Return the coin that `let` spends for this key. Raises InvalidInput for a key too long."""
    return _keyed(endpoint_name, actor, key, f"let {config_name} {asked(amount)}")


def identifier(actor: str, key: str | None) -> str:
    """Return a new id, or the one that this key of the actor always gives.

    Raises InvalidInput for an unusable key.
    """
    if key is None:
        return uuid.uuid4().hex[:12]
    require_key(key)
    return hashlib.sha256(f"{actor}\0{key}".encode()).hexdigest()[:12]


def asked(amount: timedelta | datetime | None) -> str:
    """Write how much time a request asks for, or until when."""
    return "default" if amount is None else str(amount)


def _keyed(endpoint_name: str, actor: str, key: str, request: str) -> Coin:
    require_key(key)
    return Coin(scope=actor, endpoint_name=endpoint_name, key=key, request=request)


def require_key(key: str) -> None:
    """Raise InvalidInput unless the text may be an Idempotency-Key."""
    if not 0 < len(key) <= KEY_LIMIT:
        raise InvalidInput(
            f"Idempotency-Key has {len(key)} characters",
            field="Idempotency-Key",
            hint=f"use 1 to {KEY_LIMIT} characters, new ones for each new request",
        )
