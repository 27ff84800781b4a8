"""Who a caller is, where the same one is to get the same variant: by a header, or by a cookie.

A caller without the header gets a variant as it is drawn; one without the cookie is given one.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parkade.apps import link

#: Seconds for which a browser keeps its cookie: a year.
AGE = 31_536_000
#: Bytes of chance in a cookie's value.
_CHANCE = 16


class Caller(NamedTuple):
    """Who calls."""

    key: str
    #: The header line that tells the caller, for the answer; empty: it knows.
    line: tuple[bytes, ...] = ()


#: A caller like any other.
NOBODY = Caller("")


class Header:
    """Callers are told apart by the value of a header."""

    def __init__(self, name: str) -> None:
        self._name = name.lower().encode()

    def find(self, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
        """Return who calls."""
        for name, value in headers:
            if name.lower() == self._name:
                key = value.decode("latin-1").strip()
                return Caller(key) if key else NOBODY
        return NOBODY


class Cookie:
    """Callers are told apart by a cookie of one address, which they are given."""

    def __init__(self, name: str, address: str, *, secure: bool) -> None:
        self._name = name.encode()
        rest = f"; Path={address}; Max-Age={AGE}; HttpOnly; SameSite=Lax"
        self._rest = (rest + "; Secure" if secure else rest).encode()

    def find(self, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
        """Return who calls; one who has no cookie yet is somebody new."""
        for name, value in headers:
            if name.lower() == b"cookie":
                known = self._among(value.split(b";"))
                if known:
                    return Caller(known)
        key = secrets.token_urlsafe(_CHANCE)
        line = b"%b=%b%b" % (self._name, key.encode(), self._rest)
        return Caller(key, (b"Set-Cookie: ", line, b"\r\n"))

    def _among(self, pairs: Sequence[bytes]) -> str:
        for pair in pairs:
            name, _, value = pair.partition(b"=")
            if name.strip() == self._name:
                return value.strip().decode("latin-1")
        return ""


def sticking(route: link.RouteView, address: str, *, secure: bool) -> Header | Cookie | None:
    """Return what tells callers of the route at this address apart; None: nothing does."""
    if route.header:
        return Header(route.header)
    return Cookie(route.cookie, address, secure=secure) if route.cookie else None
