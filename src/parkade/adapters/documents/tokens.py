"""A token as members that every store can keep, and back."""

from __future__ import annotations

import json

from parkade.adapters.documents import columns
from parkade.domain.token import Role, Token


def written(token: Token) -> dict[str, columns.Column]:
    """Return the members of a token."""
    return {
        "name": token.name,
        "digest": token.digest,
        "role": token.role,
        "endpoints": json.dumps(sorted(token.endpoints)),
        "created_at": columns.instant(token.created_at),
        "expires_at": columns.instant_or_none(token.expires_at),
        "revoked_at": columns.instant_or_none(token.revoked_at),
    }


def read(row: columns.Row) -> Token:
    """Return the token of a row. Raises Unreadable that names it."""
    with columns.reading(f"token {row['name']!r}"):
        return fields(row)


def fields(row: columns.Row) -> Token:
    """Return the token of a row. Raises Unreadable that says what is wrong with it."""
    return Token(
        name=columns.read_text(row, "name"),
        digest=columns.read_text(row, "digest"),
        role=columns.read_word(row, "role", Role),
        endpoints=frozenset(columns.read_texts(row, "endpoints")),
        created_at=columns.read_instant(row, "created_at"),
        expires_at=columns.read_instant_or_none(row, "expires_at"),
        revoked_at=columns.read_instant_or_none(row, "revoked_at"),
    )
