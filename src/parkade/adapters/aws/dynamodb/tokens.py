"""Tokens: one item each under its digest, so that an authorizer reads one item, and no other.

    digest       content                      of
    9f2c..       {"name": "ann", ...}
    name#ann                                  9f2c..      holds the name, which is taken for ever

A digest is hexadecimal, so that no name can stand in its place.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.changes import absent, equal, overtaken
from parkade.adapters.documents import columns, tokens
from parkade.domain.errors import AlreadyExists, TokenNotFound, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.changes import Change, Condition
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.adapters.aws.dynamodb.table import Table
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.domain.token import Token

_NAME = "name#"


class DynamoTokenStore:
    """The token store port on the token table; its events go into the main one."""

    def __init__(self, table: Table, history: DynamoHistory) -> None:
        self._table = table
        self._history = history

    def add(self, token: Token, event: Event) -> None:
        """Store a new token."""
        free, taken = absent(self._table.shape.partition), _taken(token)
        self._history.store(
            [
                self._named(token, where=free, lost=taken),
                self._table.change.put((token.digest,), _written(token), where=free, lost=taken),
            ],
            event,
        )

    def replace(self, token: Token, event: Event) -> None:
        """Store the token over the one of its name."""
        held = self._table.get(_NAME + token.name)
        if held is None:
            raise TokenNotFound(f"no token has the name {token.name!r}")
        with columns.reading(f"the name of token {token.name!r}"):
            former = columns.read_text(held, "of")
        # Of two that give it other secrets at once, one is told.
        changes = [self._named(token, where=equal(of=former))]
        if former == token.digest:
            changes.append(self._table.change.put((token.digest,), _written(token)))
        else:
            free = absent(self._table.shape.partition)
            changes += [
                self._table.change.delete((former,)),
                self._table.change.put(
                    (token.digest,), _written(token), where=free, lost=_same_secret(token)
                ),
            ]
        self._history.store(changes, event)

    def all(self) -> Sequence[Token]:
        """Return every token in the order of names."""
        found = [_token(item) for item in self._table.scan() if "of" not in item]
        return sorted(found, key=lambda token: token.name)

    def find(self, digest: str) -> Token | None:
        """Return the token with this digest, by one read."""
        item = self._table.get(digest)
        return None if item is None or "of" in item else _token(item)

    def _named(
        self,
        token: Token,
        *,
        where: Condition,
        lost: Callable[[Item | None], ParkadeError] = overtaken,
    ) -> Change:
        """Have the token's name lead to its digest."""
        return self._table.change.put(
            (_NAME + token.name,), {"of": token.digest}, where=where, lost=lost
        )


def _written(token: Token) -> dict[str, str]:
    return {"content": json.dumps(tokens.written(token))}


def _token(item: Item) -> Token:
    # A digest is no secret, and whoever mends the table has to find the item.
    with columns.reading(f"the token with the digest {item['digest']!r}"):
        token = tokens.fields(columns.read_object(item, "content"))
        if token.digest != item["digest"]:
            raise Unreadable(f"its digest {token.digest!r} is another one")
        return token


def _taken(token: Token) -> Callable[[Item | None], ParkadeError]:
    return lambda _: AlreadyExists(
        f"there is already a token {token.name!r}, or one with the same secret",
        hint="choose another name; a revoked token keeps its own",
    )


def _same_secret(token: Token) -> Callable[[Item | None], ParkadeError]:
    return lambda _: AlreadyExists(f"another token than {token.name!r} has this secret")
