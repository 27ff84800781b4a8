"""The invoker port over the gateway's inside socket: same routing, counting and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from parkade.domain.errors import Unavailable
from parkade.ports.invoker import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Seconds. The gateway itself ends an invocation at `limits.model_seconds`, which may be raised,
#: so only a gateway that does not take requests at all is not waited for.
CONNECT_LIMIT = 5.0
#: Seconds for which it is held while an endpoint starts, or wakes; the gateway has a limit of its own,
#: `limits.hold_seconds`. Who invokes by this has time.
WAIT = 86_400


class GatewayInvoker:
    """Invokes through the gateway on this machine. `secret` tells that of the present run."""

    def __init__(self, socket: Path, secret: Callable[[], str]) -> None:
        self._socket = socket
        self._secret = secret

    async def invoke(self, endpoint_name: str, body: bytes, content_type: str) -> Answer:
        """Return the endpoint's answer, errors of endpoint and model included.

        Raises Unavailable where the gateway cannot be reached, or goes away meanwhile.
        """
        # Nobody shows a certificate here; reading those that are trusted takes 20 ms and more.
        transport = httpx.AsyncHTTPTransport(uds=str(self._socket), verify=False)
        limits = httpx.Timeout(None, connect=CONNECT_LIMIT)
        async with httpx.AsyncClient(transport=transport, timeout=limits) as client:
            try:
                answer = await client.post(
                    f"http://gateway/endpoints/{endpoint_name}/invocations",
                    content=body,
                    headers={
                        "Authorization": f"Bearer {self._secret()}",
                        "Content-Type": content_type,
                        "Prefer": f"wait={WAIT}",
                    },
                )
            except httpx.TransportError as error:
                raise Unavailable(
                    f"the gateway could not carry an invocation of {endpoint_name!r}: {error!r}",
                    hint="it is started again by itself; ask again",
                ) from error
        return Answer(
            status=answer.status_code,
            content_type=answer.headers.get("Content-Type", ""),
            body=answer.content,
        )
