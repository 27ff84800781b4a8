"""Tokens: made, revoked, and recognised by their keyed hash."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import AlreadyExists, InvalidInput, TokenNotFound, Unauthenticated
from parkade.domain.event import Event, written
from parkade.domain.token import Role, Token, pass_code

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime, timedelta

    from parkade.ports.clock import Clock
    from parkade.ports.tokens import TokenStore


def digest(key: bytes, secret: str) -> str:
    """Return what is stored of a secret; without the key it cannot even be guessed at."""
    return hmac.new(key, secret.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


class Tokens:
    """Makes and checks tokens. `clock` tells real time: a rehearsal ends no token.

    `key` is asked for when a secret is hashed: who makes and checks none need not be allowed to it.
    """

    def __init__(self, store: TokenStore, *, clock: Clock, key: Callable[[], bytes]) -> None:
        self._store = store
        self._clock = clock
        self._key = key

    def create(
        self,
        name: str,
        *,
        role: Role,
        endpoints: Iterable[str],
        lifetime: timedelta | None,
        actor: str,
        secret: str | None = None,
    ) -> tuple[Token, str]:
        """Store a new token; return it with its secret, which is never seen again.

        `secret` is a pass code of the user's own. Raises AlreadyExists for a taken name.
        """
        now = self._clock.now()
        code = "pk_" + secrets.token_urlsafe(32) if secret is None else pass_code(secret)
        token = Token(
            name=names.token_name(name),
            digest=digest(self._key(), code),
            role=role,
            endpoints=frozenset(names.endpoint_name(each, field="endpoints") for each in endpoints),
            created_at=now,
            expires_at=_expiry(now, lifetime),
        )
        event = Event(
            at=now,
            kind="token.created",
            actor=actor,
            reason=f"token {token.name} may act as {role}",
            data={
                "name": token.name,
                "role": role,
                "endpoints": sorted(token.endpoints),
                "expires_at": written(token.expires_at) if token.expires_at else None,
            },
        )
        self._store.add(token, event)
        return token, code

    def take_over(
        self,
        secret: str,
        *,
        name: str,
        numbered: bool,
        role: Role,
        endpoints: Iterable[str],
        lifetime: timedelta | None,
        actor: str,
    ) -> tuple[Token, bool]:
        """Return the token of a pass code from elsewhere, and whether it was made for it now.

        One that is known is left as it is, revoked or not. A new one is called `name`, or, where
        that is `numbered`, `name-1` or the first such that is free. Raises AlreadyExists where the
        name is another token's, and InvalidInput for what is no pass code.
        """
        asked = digest(self._key(), pass_code(secret))
        while (known := self._store.find(asked)) is None:
            free = _free(name, {each.name for each in self.all()}) if numbered else name
            try:
                token, _ = self.create(
                    free,
                    role=role,
                    endpoints=endpoints,
                    lifetime=lifetime,
                    actor=actor,
                    secret=secret,
                )
            except AlreadyExists:
                # Somebody else was faster, with the name or with the pass code.
                if not numbered and self._store.find(asked) is None:
                    raise
            else:
                return token, True
        return known, False

    def revoke(self, name: str, *, actor: str) -> Token:
        """End the token now; one that is revoked stays as it is. Raises TokenNotFound."""
        token = self.get(name)
        if token.revoked_at is not None:
            return token
        now = self._clock.now()
        revoked = replace(token, revoked_at=now)
        event = Event(
            at=now,
            kind="token.revoked",
            actor=actor,
            reason=f"token {name} is no longer accepted",
            data={"name": name},
        )
        self._store.replace(revoked, event)
        return revoked

    def get(self, name: str) -> Token:
        """Return the token, revoked or not. Raises TokenNotFound."""
        token = next((each for each in self.all() if each.name == name), None)
        if token is None:
            raise TokenNotFound(f"there is no token {name!r}", hint="see: parkade token ls")
        return token

    def all(self) -> Sequence[Token]:
        """Return every token, revoked ones included."""
        return self._store.all()

    def authenticate(self, secret: str) -> Token:
        """Return the live token with this secret. Raises Unauthenticated."""
        # Looking a keyed hash up tells nobody how near a guess was.
        token = self._store.find(digest(self._key(), secret))
        if token is None:
            raise Unauthenticated("the token is unknown", hint=_ANOTHER)
        return self._live(token)

    def _live(self, token: Token) -> Token:
        if token.revoked_at is not None:
            raise Unauthenticated(f"token {token.name!r} was revoked", hint=_ANOTHER)
        if not token.live(self._clock.now()):
            raise Unauthenticated(f"token {token.name!r} has expired", hint=_ANOTHER)
        return token


_ANOTHER = "ask an admin for one: parkade token create --name NAME"


def _free(name: str, taken: Collection[str]) -> str:
    numbered = (f"{name}-{number}" for number in itertools.count(1))
    return next(each for each in numbered if each not in taken)


def _expiry(now: datetime, lifetime: timedelta | None) -> datetime | None:
    if lifetime is None:
        return None
    try:
        expiry = now + lifetime
    except OverflowError:
        expiry = now
    if expiry <= now:
        raise InvalidInput(
            f"a token cannot live for {lifetime}",
            field="expires",
            hint="give it some days, such as 30d; leave it out for one without an end",
        )
    return expiry
