"""Who calls, and what they may do.

A token comes in the Authorization header, as it is or after `Bearer`. A route states the role
it needs by the type of its `caller`; `route.Route` admits the caller before it reads a body.

With `--no-auth` there are no tokens, and every caller on this machine is an admin; what is then
kept out is web pages: a browser says where a page comes from, and pages of others are refused.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from parkade.domain.errors import Forbidden, Unauthenticated
from parkade.domain.token import Role, Token

if TYPE_CHECKING:
    from parkade.apps.assembly import Shared

#: The actor of callers on a server without tokens.
ANONYMOUS = "anonymous"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

SCHEME = APIKeyHeader(
    name="Authorization",
    scheme_name="token",
    description="A token of `parkade token create`, as it is or after `Bearer`.",
    auto_error=False,
)


class Requires:
    """The dependency that gives a route its caller, and states the role that is needed."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(self, request: Request, _: Annotated[str | None, Security(SCHEME)]) -> Token:
        """Return the caller whom the route has admitted."""
        caller: Token = request.state.caller
        return caller


Invoker = Annotated[Token, Depends(Requires(Role.INVOKER))]
Operator = Annotated[Token, Depends(Requires(Role.OPERATOR))]
Admin = Annotated[Token, Depends(Requires(Role.ADMIN))]


def admit(services: "Shared", headers: Mapping[str, str], role: Role) -> Token:
    """Return the caller. Raises Unauthenticated, or Forbidden where the role is not enough."""
    if services.caller is not None:
        services.caller.require(role)
        return services.caller
    if not services.auth:
        _keep_pages_out(headers)
        return _anonymous(services)
    secret = _secret(headers.get("authorization", ""))
    if not secret:
        raise Unauthenticated(
            "no token was given", hint="send the header Authorization: <your token>"
        )
    caller = services.tokens.authenticate(secret)
    caller.require(role)
    return caller


def still_admitted(services: "Shared", request: Request, role: Role) -> Callable[[], bool]:
    """Return a check for answers that go on: false once the caller's token is revoked or expired."""

    def check() -> bool:
        try:
            admit(services, request.headers, role)
        except (Unauthenticated, Forbidden):
            return False
        return True

    return check


def may_see(caller: Token, endpoint_name: str) -> bool:
    """Tell whether the endpoint is the caller's to look at: invokers may be limited to some."""
    return (
        caller.role.includes(Role.OPERATOR)
        or not caller.endpoints
        or endpoint_name in caller.endpoints
    )


def require_sight(caller: Token, endpoint_name: str) -> None:
    """Raise Forbidden where the endpoint is not the caller's to look at."""
    if not may_see(caller, endpoint_name):
        caller.require_endpoint(endpoint_name)


def _secret(header: str) -> str:
    scheme, _, rest = header.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else header.strip()


def _anonymous(services: "Shared") -> Token:
    return Token(
        name=ANONYMOUS,
        digest="",
        role=Role.ADMIN,
        endpoints=frozenset(),
        created_at=services.wall.now(),
    )


def _keep_pages_out(headers: Mapping[str, str]) -> None:
    """Refuse a browser that speaks for another site's page, or under another site's name."""
    origin = headers.get("origin", "")
    if not origin and "sec-fetch-site" not in headers:
        return
    host = headers.get("host", "")
    own = urlsplit(f"//{host}").hostname in _LOOPBACK
    foreign = origin and urlsplit(origin).netloc != host
    if foreign or not own or headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        raise Forbidden(
            f"a page of {origin or host} may not use a server that asks for no tokens",
            hint="run parkade up without --no-auth and give the page's user a token",
        )
