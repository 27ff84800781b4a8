"""The token store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.event import Event
    from parkade.domain.token import Token


class TokenStore(Protocol):
    """Stores tokens by name; holds digests, never secrets."""

    def add(self, token: Token, event: Event) -> None:
        """Store a new token. Raises AlreadyExists for a taken name or digest.

        The name of a revoked or expired token is taken as well: history refers to it.
        """
        ...

    def replace(self, token: Token, event: Event) -> None:
        """Store the token over the one of its name. Raises TokenNotFound."""
        ...

    def all(self) -> Sequence[Token]:
        """Return every token, revoked ones included, in the order of names."""
        ...

    def find(self, digest: str) -> Token | None:
        """Return the token with this digest, revoked or not; None: there is none.

        It is asked for by every request, and reads no other token.
        """
        ...
