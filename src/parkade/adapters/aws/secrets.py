"""The server's key, from Secrets Manager: what tokens are hashed with and links are signed with."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import InvalidInput, ParkadeError, Unreadable

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account

#: bytes. Fewer could be guessed.
SHORTEST = 32

_lock = threading.Lock()
#: The keys that this process has read. A key never changes: every token would be void.
_keys: dict[str, bytes] = {}


def server_key(account: Account, arn: str) -> bytes:
    """Return the key of a secret, which is read once a process.

    It is the secret's text as it is, or its bytes. Raises InvalidInput where there is no such
    secret, Unreadable where what it holds is no key, and what `calling` raises.
    """
    with _lock:
        if arn not in _keys:
            _keys[arn] = _read(account, arn)
        return _keys[arn]


def text(account: Account, arn: str) -> str:
    """Return the text of a secret, which is asked for anew each time.

    Raises InvalidInput where there is no such secret, and what `calling` raises.
    """

    def meaning(code: str, told: str) -> ParkadeError | None:
        if code != "ResourceNotFoundException":
            return None
        return InvalidInput(f"there is no secret {arn!r}: {told}", field="secret")

    with calling(f"secret {arn!r} cannot be read", meaning):
        held = account.client("secretsmanager").get_secret_value(SecretId=arn)
    return str(held.get("SecretString", ""))


def forget() -> None:
    """Read every key anew when it is next asked for."""
    with _lock:
        _keys.clear()


def _read(account: Account, arn: str) -> bytes:
    def meaning(code: str, text: str) -> ParkadeError | None:
        if code != "ResourceNotFoundException":
            return None
        return InvalidInput(
            f"there is no secret {arn!r}: {text}",
            field="PARKADE_SERVER_KEY",
            hint="deploy the API stack, which makes it, or name the secret that holds the key",
        )

    with calling(f"the server's key cannot be read from secret {arn!r}", meaning):
        held = account.client("secretsmanager").get_secret_value(SecretId=arn)
    key = bytes(held.get("SecretBinary") or held.get("SecretString", "").encode())
    if len(key) < SHORTEST:
        raise Unreadable(
            f"secret {arn!r} holds {len(key)} bytes, which is no key",
            hint=f"have Secrets Manager generate one of {SHORTEST} characters or more",
        )
    return key
