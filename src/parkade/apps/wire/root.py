"""`POST /`: where several services are asked, each of which knows its requests by their headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response


class Door(Protocol):
    """Answers the requests of one service's clients."""

    def knows(self, request: Request) -> bool:
        """Tell whether a request is for this service."""
        ...

    async def answer(self, request: Request) -> Response:
        """Answer one request, or tell what is wrong with it in the service's own form."""
        ...


def serve(app: FastAPI, *doors: Door) -> None:
    """Open the doors in the app; the last of them knows every request."""

    async def answer(request: Request) -> Response:
        if request.method != "POST":
            raise HTTPException(404)
        return await next(door for door in doors if door.knows(request)).answer(request)

    # Every method, so that others than POST find nothing, as at any path that is not there.
    methods = ["POST", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
    app.add_route("/", answer, methods=methods, include_in_schema=False)
