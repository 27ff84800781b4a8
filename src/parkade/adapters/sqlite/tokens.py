"""Tokens: one row each, never deleted."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from parkade.adapters.sqlite import columns
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import AlreadyExists, TokenNotFound
from parkade.domain.token import Role, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event


class SqliteTokenStore:
    """The token store port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: Token, event: Event) -> None:
        """Store a new token."""
        with self._database.writing() as connection:
            try:
                connection.execute(
                    "INSERT INTO tokens VALUES (:name, :digest, :role, :endpoints, :created_at,"
                    " :expires_at, :revoked_at)",
                    _columns(token),
                )
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(
                    f"there is already a token {token.name!r}, or one with the same secret",
                    hint="choose another name; a revoked token keeps its own",
                ) from error
            record(connection, event)

    def replace(self, token: Token, event: Event) -> None:
        """Store the token over the one of its name."""
        with self._database.writing() as connection:
            try:
                replaced = connection.execute(
                    "UPDATE tokens SET digest = :digest, role = :role, endpoints = :endpoints,"
                    " created_at = :created_at, expires_at = :expires_at,"
                    " revoked_at = :revoked_at WHERE name = :name",
                    _columns(token),
                ).rowcount
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(f"another token than {token.name!r} has this secret") from error
            if not replaced:
                raise TokenNotFound(f"no token has the name {token.name!r}")
            record(connection, event)

    def all(self) -> Sequence[Token]:
        """Return every token in the order of names."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM tokens ORDER BY name").fetchall()
        return [_token(row) for row in rows]


def _columns(token: Token) -> dict[str, columns.Column]:
    return {
        "name": token.name,
        "digest": token.digest,
        "role": token.role,
        "endpoints": json.dumps(sorted(token.endpoints)),
        "created_at": columns.instant(token.created_at),
        "expires_at": columns.instant_or_none(token.expires_at),
        "revoked_at": columns.instant_or_none(token.revoked_at),
    }


def _token(row: sqlite3.Row) -> Token:
    with columns.reading(f"token {row['name']!r}"):
        return Token(
            name=columns.read_text(row, "name"),
            digest=columns.read_text(row, "digest"),
            role=columns.read_word(row, "role", Role),
            endpoints=frozenset(columns.read_texts(row, "endpoints")),
            created_at=columns.read_instant(row, "created_at"),
            expires_at=columns.read_instant_or_none(row, "expires_at"),
            revoked_at=columns.read_instant_or_none(row, "revoked_at"),
        )
