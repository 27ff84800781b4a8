"""The multi-model side of a container: `POST`, `GET` and `DELETE /models`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

from parkade.domain.errors import StartFailed, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

#: Seconds. For a model to be loaded; unverified: SageMaker publishes no limit of its own.
LOAD_LIMIT = 240.0
#: Seconds. For a container to accept a connection, and to answer what takes no work.
_CONNECT_LIMIT = 5.0
_ANSWER_LIMIT = 60.0
#: How much of what a container says about a failure is repeated.
_QUOTED = 1024


class WentAway(Exception):
    """The container went away while it was loading a model."""


class NoRoom(Exception):
    """507: the container lacks memory, or another resource, for one more model."""


class ModelServer:
    """One container's models. Every method raises Unavailable where the container is gone."""

    def __init__(self, address: str) -> None:
        """Reach it at the path of a unix socket, or at `HOST:PORT`."""
        socket = address if address.startswith("/") else None
        self._client = httpx.AsyncClient(
            base_url="http://localhost" if socket else f"http://{address}",
            # A kept connection could break under a request that must not be sent twice.
            transport=httpx.AsyncHTTPTransport(
                uds=socket, verify=False, limits=httpx.Limits(max_keepalive_connections=0)
            ),
            timeout=httpx.Timeout(_ANSWER_LIMIT, connect=_CONNECT_LIMIT),
        )

    async def close(self) -> None:
        """Let go of what is open."""
        await self._client.aclose()

    async def load(self, name: str, folder: Path) -> int | None:
        """Load the model in `folder`; return its size in memory where the container tells.

        Raises NoRoom, after which the name may have to be unloaded, StartFailed with the
        container's reason, and WentAway.
        """
        body = {"model_name": name, "url": str(folder)}
        answer = await self._post(body)
        if answer.status_code == 409:
            # Nobody knows of it: a load that nobody saw the end of may have left it half done.
            await self.unload(name)
            answer = await self._post(body)
        if answer.is_success:
            return _size(_values(answer))
        if answer.status_code == 507:
            raise NoRoom(_text(answer))
        # multi-model-server keeps the name of what it could not load.
        await self.unload(name)
        raise StartFailed(_text(answer) or f"the container answered {answer.status_code}")

    async def _post(self, body: dict[str, str]) -> httpx.Response:
        try:
            return await self._ask("POST", "/models", json=body, timeout=LOAD_LIMIT)
        except Unavailable as error:
            cause = error.__cause__
            if cause is None or isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout):
                raise  # it was not asked at all
            raise WentAway("the container went away while it was loading it") from error

    async def unload(self, name: str) -> None:
        """Unload the model; one that is not loaded counts as done."""
        answer = await self._ask("DELETE", f"/models/{name}")
        if not answer.is_success and answer.status_code != 404:
            raise StartFailed(f"it cannot be unloaded: {answer.status_code} {_text(answer)}")

    async def loaded(self) -> dict[str, int | None]:
        """Return the names of all models that are loaded, with their sizes where they are told."""
        found: dict[str, int | None] = {}
        token = ""
        while True:
            answer = await self._ask(
                "GET", "/models", params={"next_page_token": token} if token else {}
            )
            values = _values(answer)
            if not answer.is_success or not isinstance(values.get("models"), list):
                raise Unavailable(f"the container does not tell its models: {_text(answer)}")
            for model in values["models"]:
                found[str(model["modelName"])] = _size(model)
            token = str(values.get("nextPageToken") or "")
            if not token:
                return found

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        if self._client.is_closed:
            raise Unavailable("the container is gone")
        try:
            return await self._client.request(method, path, **options)
        except httpx.ReadTimeout as error:
            raise StartFailed("the container gave no answer in time") from error
        except httpx.TransportError as error:
            raise Unavailable(f"the container cannot be reached: {error!r}") from error


def _values(answer: httpx.Response) -> dict[str, Any]:
    try:
        values = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return values if isinstance(values, dict) else {}


def _size(values: dict[str, Any]) -> int | None:
    size = values.get("memoryBytes")
    return size if isinstance(size, int) else None


def _text(answer: httpx.Response) -> str:
    """Return what the container says, without the JSON around it where that is plain."""
    message = _values(answer).get("message")
    return (message if isinstance(message, str) else answer.text)[:_QUOTED]
