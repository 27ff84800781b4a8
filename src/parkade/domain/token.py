"""Tokens: who may do what.

A token is shown once; only a keyed hash of it is stored. An invoker may invoke; an operator
may also run leases; an admin may also manage tokens, models and configs. Where a token names
endpoints, invoking is limited to these.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.errors import Forbidden, InvalidInput

if TYPE_CHECKING:
    from datetime import datetime

#: A pass code of the user's own must be at least this long.
PASS_CODE_MIN = 16


class Role(StrEnum):
    """What a token may do; each role includes the ones before it."""

    INVOKER = "invoker"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Tell whether this role may do what `other` may do."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One row of the token store. `digest` is the keyed hash in hex; the secret is not kept."""

    name: str
    digest: str
    role: Role
    #: Endpoints it may invoke; empty: all.
    endpoints: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def live(self, now: datetime) -> bool:
        """Tell whether it is neither revoked nor expired; `now` is real time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def require(self, role: Role) -> None:
        """Raise Forbidden unless the token's role includes `role`."""
        if not self.role.includes(role):
            raise Forbidden(
                f"token {self.name!r} has the role {self.role}; this needs {role}",
                hint=f"ask for a token made with --role {role}",
            )

    def require_endpoint(self, endpoint_name: str) -> None:
        """Raise Forbidden where the token is limited to other endpoints."""
        if self.endpoints and endpoint_name not in self.endpoints:
            raise Forbidden(
                f"token {self.name!r} may not invoke {endpoint_name!r}",
                hint="it is limited to " + ", ".join(sorted(self.endpoints)),
            )


def pass_code(text: str) -> str:
    """Return a pass code of the user's own if it is long enough and fits in a header."""
    code = text.strip()
    if len(code) < PASS_CODE_MIN or not code.isascii() or not code.isprintable() or " " in code:
        raise InvalidInput(
            "the pass code is too short or has characters that do not fit in a header",
            field="token",
            hint=f"use {PASS_CODE_MIN} or more printable ASCII characters without blanks",
        )
    return code
