"""Answers that callers can act on at once.

A caller hears of a change by the management API and acts on it through the gateway, and the two
do not come the same way: an endpoint that is told to be in service has to be routed to.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from parkade.apps.assembly import Shared


class Settled:
    """Sends every answer once the gateways route by what it says."""

    def __init__(self, app: "ASGIApp", services: "Shared") -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the call on, and hold the beginning of its answer."""

        async def held(message: "Message") -> None:
            if message["type"] == "http.response.start":
                await self._services.settled()
            await send(message)

        await self._app(scope, receive, held)
