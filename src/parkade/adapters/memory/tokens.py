"""The token store in a dictionary."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from parkade.domain.errors import AlreadyExists, TokenNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.event import Event
    from parkade.domain.token import Token
    from parkade.ports.events import History


class MemoryTokenStore:
    """The token store port."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()

    def add(self, token: Token, event: Event) -> None:
        """Store a new token."""
        with self._lock:
            if token.name in self._tokens or self._taken(token):
                raise AlreadyExists(
                    f"there is already a token {token.name!r}, or one with the same secret",
                    hint="choose another name; a revoked token keeps its own",
                )
            self._history.append(event)
            self._tokens[token.name] = token

    def replace(self, token: Token, event: Event) -> None:
        """Store the token over the one of its name."""
        with self._lock:
            if token.name not in self._tokens:
                raise TokenNotFound(f"no token has the name {token.name!r}")
            if self._taken(token):
                raise AlreadyExists(f"another token than {token.name!r} has this secret")
            self._history.append(event)
            self._tokens[token.name] = token

    def all(self) -> Sequence[Token]:
        """Return every token in the order of names."""
        with self._lock:
            return [self._tokens[name] for name in sorted(self._tokens)]

    def find(self, digest: str) -> Token | None:
        """Return the token with this digest."""
        with self._lock:
            return next((each for each in self._tokens.values() if each.digest == digest), None)

    def _taken(self, token: Token) -> bool:
        return any(
            other.digest == token.digest and other.name != token.name
            for other in self._tokens.values()
        )
