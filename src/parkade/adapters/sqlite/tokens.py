"""Tokens: one row each, never deleted."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from parkade.adapters.documents import tokens
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import AlreadyExists, TokenNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.domain.token import Token


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
                    tokens.written(token),
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
                    tokens.written(token),
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
        return [tokens.read(row) for row in rows]

    def find(self, digest: str) -> Token | None:
        """Return the token with this digest."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT * FROM tokens WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else tokens.read(row)
