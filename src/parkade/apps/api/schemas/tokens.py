"""The forms of tokens."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.domain.token import PASS_CODE_MIN, Role, Token


class TokenForm(Form):
    """A new token."""

    name: str = Field(examples=["ann"])
    role: Role = Field(Role.INVOKER, description="Each role includes the ones before it.")
    endpoints: list[str] = Field(
        [], description="Endpoints it may invoke; empty: all.", examples=[["falcon"]]
    )
    expires_days: Annotated[float, Field(gt=0, le=36500, strict=True)] | None = Field(
        None, description="Real days until it expires; left out: never.", examples=[30]
    )
    secret: str | None = Field(
        None,
        description=f"A pass code of your own, {PASS_CODE_MIN} characters or more; "
        "left out: one is made.",
    )


class TakeOverForm(Form):
    """A pass code that another system knows."""

    secret: str = Field(
        description=f"The pass code; {PASS_CODE_MIN} characters or more. It is never answered."
    )
    name: str = Field(
        description="What a new token is called; numbered, that and a number.", examples=["auth"]
    )
    numbered: bool = Field(
        True, description="Whether it is called `name-1`, or the first such that is free."
    )
    role: Role = Field(Role.INVOKER, description="Each role includes the ones before it.")
    endpoints: list[str] = Field([], description="Endpoints it may invoke; empty: all.")
    expires_days: Annotated[float, Field(gt=0, le=36500, strict=True)] | None = Field(
        None, description="Real days until it expires; left out: never.", examples=[30]
    )


class TokenView(View):
    """A token, without its secret."""

    name: str
    role: Role
    endpoints: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    live: bool = Field(description="Neither revoked nor expired.")

    @classmethod
    def of(cls, token: Token, now: datetime) -> "TokenView":
        """Write a token as of `now`, which is real time."""
        return cls(**_told(token, now))


class CreatedTokenView(TokenView):
    """A new token with its secret, which is shown this once."""

    token: str

    @classmethod
    def with_secret(cls, token: Token, secret: str, now: datetime) -> "CreatedTokenView":
        """Write a token that has just been made."""
        return cls(**_told(token, now), token=secret)


class TakenOverView(TokenView):
    """The token of a pass code from elsewhere."""

    made: bool = Field(description="Whether it was made now; else the pass code was known.")

    @classmethod
    def taken(cls, token: Token, now: datetime, *, made: bool) -> "TakenOverView":
        """Write the token, and whether it is new."""
        return cls(**_told(token, now), made=made)


class TokenList(View):
    """One page of tokens."""

    tokens: list[TokenView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")


class AwsKeyView(View):
    """What AWS clients are configured with to act as a token."""

    token: str = Field(description="Its name.")
    access_key_id: str
    secret_access_key: str
    region: str


def _told(token: Token, now: datetime) -> dict[str, Any]:
    return {
        "name": token.name,
        "role": token.role,
        "endpoints": sorted(token.endpoints),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "live": token.live(now),
    }
