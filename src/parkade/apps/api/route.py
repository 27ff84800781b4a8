"""What every route of this API does the same way.

The caller is admitted before anything else is looked at. Query parameters that nobody reads are
refused, for a misspelt filter must not answer more than was asked. A body is JSON whatever its
Content-Type says (curl's default is a form's), and it is never larger than `BODY_LIMIT`.
"""

import json
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from parkade.apps.api.auth import Requires, admit
from parkade.apps.api.schemas.errors import ErrorAnswer
from parkade.domain.errors import InvalidInput, TooLarge
from parkade.domain.names import suggestion
from parkade.domain.token import Role

if TYPE_CHECKING:
    from parkade.apps.assembly import Services, Shared

#: bytes. An invocation's 6 MB, escaped as a JSON text, in the body of an execution.
BODY_LIMIT = 16 * 1024**2


async def _services(request: Request) -> Any:
    return request.app.state.services


if TYPE_CHECKING:
    #: Of routes that the embedded cloud alone has.
    Served = Annotated[Services, Depends(_services)]
    #: Of routes that every cloud has.
    Both = Annotated[Shared, Depends(_services)]
else:
    Served = Both = Annotated[Any, Depends(_services)]


def router(tag: str, prefix: str = "") -> APIRouter:
    """Return a router whose routes are `Route`s under one heading of the documentation."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=Route,
        responses={"4XX": {"model": ErrorAnswer, "description": "Refused; says why."}},
    )


def include(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Add the routes of the routers to the app, as they are.

    `FastAPI.include_router` makes each route anew for what an inclusion may change: a prefix, tags,
    dependencies. Nothing is changed here, and it would take 0.1 s of the first requests of every app.
    """
    for each in routers:
        app.router.routes.extend(each.routes)


class Route(APIRoute):
    """A route with the manners above; its documentation states the role it needs."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        # A route that admits by itself, under some settings only, states the role as extra.
        stated = (self.openapi_extra or {}).get("x-role", "none")
        role = str(self._role() or stated)
        self.openapi_extra = {**(self.openapi_extra or {}), "x-role": role}
        needed = f"Needs the role **{role}**." if role != "none" else "Needs no token."
        self.description = f"{self.description}\n\n{needed}"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the framework behind the checks of this API."""
        handler = super().get_route_handler()
        role = self._role()
        parameters = [field.alias for field in self.dependant.query_params]

        async def checked(request: Request) -> Response:
            if role is not None:
                services: Shared = request.app.state.services
                request.state.caller = admit(services, request.headers, role)
            _refuse_unknown(request, parameters)
            if self.body_field is not None:
                request = await _JsonRequest.of(request)
            return await handler(request)

        return checked

    def _role(self) -> Role | None:
        calls = [dependency.call for dependency in self.dependant.dependencies]
        return next((call.role for call in calls if isinstance(call, Requires)), None)


def _refuse_unknown(request: Request, parameters: list[str]) -> None:
    for name in request.query_params:
        if name not in parameters:
            raise InvalidInput(
                f"the query parameter {name[:80]!r} is not known here",
                field=name[:80],
                hint=suggestion(name, parameters)
                or ("known are " + ", ".join(parameters) if parameters else "there are none here"),
            )


class _JsonRequest(Request):
    """A request whose body has been read as JSON, whatever its Content-Type says."""

    def __init__(self, request: Request, raw: bytes, value: Any) -> None:
        others = [each for each in request.scope["headers"] if each[0] != b"content-type"]
        headers = [*others, (b"content-type", b"application/json")]
        super().__init__({**request.scope, "headers": headers}, request.receive)
        self._raw = raw
        self._value = value

    @classmethod
    async def of(cls, request: Request) -> "_JsonRequest":
        """Read the body. Raises TooLarge, or InvalidInput that says where it is no JSON."""
        raw = bytearray()
        async for piece in request.stream():
            raw += piece
            if len(raw) > BODY_LIMIT:
                raise TooLarge(
                    f"the body is larger than {BODY_LIMIT} bytes",
                    hint="objects are put at /v1/objects/{bucket}/{key}",
                )
        return cls(request, bytes(raw), _parsed(bytes(raw)))

    async def body(self) -> bytes:
        """Return the body that was read."""
        return self._raw

    async def json(self) -> Any:
        """Return the value that was read."""
        return self._value


def _parsed(raw: bytes) -> Any:
    if not raw.strip():
        return None
    try:
        value = json.loads(raw, parse_constant=_no_number)
        if b"\\ud" in raw.lower():
            _require_text(value)
    except json.JSONDecodeError as error:
        why = f"{error.msg} at character {error.pos}"
    except (ValueError, RecursionError) as error:
        why = str(error)
    else:
        return value
    raise InvalidInput(
        f"the body is not valid JSON: {why}",
        field="body",
        hint='send a JSON object such as {"minutes": 10}; names and texts stand in double quotes',
    )


def _require_text(value: Any) -> None:
    r"""Refuse what JSON can spell and no text can hold: "\ud800" without its other half."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text in it holds half a surrogate pair") from error


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number of JSON")
