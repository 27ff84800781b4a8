"""Tokens: `/v1/tokens`."""

from datetime import timedelta

from fastapi import Response

from parkade.apps.api.auth import Admin
from parkade.apps.api.errors import respelt
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.tokens import (
    CreatedTokenView,
    TakenOverView,
    TakeOverForm,
    TokenForm,
    TokenList,
    TokenView,
)

routes = router("Tokens", "/v1/tokens")

_SPELLINGS = {"expires": "expires_days", "token": "secret"}


@routes.get("")
async def list_tokens(
    services: Both, _caller: Admin, limit: Limit = 100, after: After = ""
) -> TokenList:
    """List tokens in the order of names, revoked and expired ones included; never their secrets."""
    found, following = page(
        services.tokens.all(), lambda token: token.name, limit=limit, after=after
    )
    now = services.wall.now()
    return TokenList(tokens=[TokenView.of(each, now) for each in found], next=following)


@routes.post("", status_code=201)
async def create_token(
    services: Both, caller: Admin, form: TokenForm, response: Response
) -> CreatedTokenView:
    """Create a token; the answer shows its secret, this once."""
    with respelt(_SPELLINGS):
        token, secret = services.tokens.create(
            form.name,
            role=form.role,
            endpoints=frozenset(form.endpoints),
            lifetime=timedelta(days=form.expires_days) if form.expires_days else None,
            actor=caller.name,
            secret=form.secret,
        )
    services.changed()
    response.headers["Cache-Control"] = "no-store"
    return CreatedTokenView.with_secret(token, secret, services.wall.now())


@routes.post("/import")
async def take_token_over(services: Both, caller: Admin, form: TakeOverForm) -> TakenOverView:
    """Have a pass code of another system accepted here.

    One that is known is left as it is, so that this can be repeated.
    """
    with respelt(_SPELLINGS):
        token, made = services.tokens.take_over(
            form.secret,
            name=form.name,
            numbered=form.numbered,
            role=form.role,
            endpoints=frozenset(form.endpoints),
            lifetime=timedelta(days=form.expires_days) if form.expires_days else None,
            actor=caller.name,
        )
    if made:
        services.changed()
    return TakenOverView.taken(token, services.wall.now(), made=made)


@routes.delete("/{name}", status_code=204)
async def revoke_token(services: Both, caller: Admin, name: str) -> None:
    """Revoke a token, at once and for ever; its name stays taken."""
    services.tokens.revoke(name, actor=caller.name)
    services.changed()
