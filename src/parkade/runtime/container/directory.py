"""SageMaker's multi-model contract: what a container of many models answers.

| request | answer |
| --- | --- |
| `GET /ping` | 200 |
| `POST /models` `{"model_name", "url"}` | 200 when it is loaded; 409, 507, 400, 500 |
| `GET /models?limit=&next_page_token=` | `{"models": [...], "nextPageToken"}` |
| `GET /models/{name}` | what is known of it, 404 |
| `DELETE /models/{name}` | 200 when it is gone, 404 |
| `POST /models/{name}/invoke` | the script's answer; 404 with a header of its own |
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from .context import NOT_LOADED
from .invocations import PONG
from .messages import Answer
from .models import Models, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from .connection import Outcome
    from .messages import Request
    from .models import Entry

#: As many as multi-model-server lists on one page.
PAGE = 100
LONGEST_PAGE = 1000
_ANSWERS = (
    "a multi-model container answers GET /ping, POST and GET /models, GET and DELETE "
    "/models/{name}, and POST /models/{name}/invoke"
)


class Directory:
    """The program of many models."""

    def __init__(self, models: Models, folder: Path) -> None:
        self._models = models
        #: What relative urls are relative to.
        self._folder = folder
        #: A task that nobody holds may vanish.
        self._tasks: set[asyncio.Task[Answer]] = set()

    def __call__(
        self, method: bytes, target: bytes, request: Request
    ) -> Answer | Callable[[], Outcome]:
        """Return the answer, or what gives it when it is the request's turn."""
        path, _, query = target.decode("latin-1").partition("?")
        match method, path.split("/")[1:]:
            case b"POST", ["models", name, "invoke"]:
                return partial(self._invoke, unquote(name), request)
            case b"GET", ["ping"]:
                return PONG
            case b"GET", ["models"]:
                return self._page(query)
            case b"POST", ["models"]:
                return partial(self._load, request.body)
            case b"GET", ["models", name]:
                return self._describe(unquote(name))
            case b"DELETE", ["models", name]:
                return partial(self._unload, unquote(name))
            case _, ["ping"] | ["models"] | ["models", _] | ["models", _, "invoke"]:
                return error(405, f"{method.decode()} {path} is not supported; {_ANSWERS}")
        return error(404, f"there is no {path}; {_ANSWERS}")

    def _invoke(self, name: str, request: Request) -> Outcome:
        entry = self._models.get(name)
        if entry is None or entry.model is None:
            return _not_loaded(name)
        return entry.model.answer(request)

    def _load(self, body: bytes) -> Outcome:
        try:
            name, url, folder = _asked(body, self._folder)
        except Refusal as refusal:
            return error(refusal.status, str(refusal))
        return self._begin(self._loaded(name, url, folder))

    async def _loaded(self, name: str, url: str, folder: Path) -> Answer:
        try:
            return _said(_description(await self._models.load(name, url, folder)))
        except Refusal as refusal:
            return error(refusal.status, str(refusal))

    def _unload(self, name: str) -> Outcome:
        return self._begin(self._unloaded(name))

    async def _unloaded(self, name: str) -> Answer:
        if await self._models.unload(name):
            return _said({"modelName": name, "status": "Unloaded"})
        return _not_loaded(name)

    def _describe(self, name: str) -> Answer:
        entry = self._models.get(name)
        return _not_loaded(name) if entry is None else _said(_description(entry))

    def _page(self, query: str) -> Answer:
        asked = parse_qs(query)
        limit = _number(asked.get("limit", [str(PAGE)])[0])
        token = _number(asked.get("next_page_token", ["0"])[0])
        if limit is None or not 1 <= limit <= LONGEST_PAGE:
            return error(400, f"limit is a whole number from 1 to {LONGEST_PAGE}")
        if token is None:
            return error(400, "next_page_token is not the nextPageToken of an earlier answer")
        # A token is the number of the last one told; so a page stays right whatever comes or goes.
        later = (entry for entry in self._models if entry.number > token)
        page = list(islice(later, limit))
        answer: dict[str, Any] = {"models": [_description(entry) for entry in page]}
        if next(later, None) is not None:
            answer["nextPageToken"] = str(page[-1].number)
        return _said(answer)

    def _begin(self, work: Coroutine[Any, Any, Answer]) -> asyncio.Future[Answer]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def error(status: int, message: str) -> Answer:
    """Return the answer that says in JSON what is wrong, as multi-model-server does."""
    return Answer(status, json.dumps({"code": status, "message": message}).encode())


def _not_loaded(name: str) -> Answer:
    answer = error(404, f"model {name!r} is not loaded")
    return answer._replace(headers=((NOT_LOADED, "true"),))


def _said(value: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(value).encode())


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def _asked(body: bytes, models_dir: Path) -> tuple[str, str, Path]:
    """Return the name and url that POST /models was sent, and the folder. Raises Refusal."""
    try:
        asked = json.loads(body)
    except ValueError as problem:
        raise Refusal(400, f"the body is not usable JSON: {problem}") from problem
    if not isinstance(asked, dict):
        raise Refusal(400, 'the body is not a JSON object with "model_name" and "url"')
    name, url = asked.get("model_name"), asked.get("url")
    if not (isinstance(name, str) and name and isinstance(url, str) and url):
        raise Refusal(400, '"model_name" and "url" are needed, both texts')
    folder = models_dir / url
    if not folder.is_dir():
        raise Refusal(400, f"{folder} is not a folder; url names one with a model's unpacked data")
    return name, url, folder


def _description(entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = {"modelName": entry.name, "modelUrl": entry.url}
    model = entry.model
    if model is not None:
        told["memoryBytes"] = model.size
        told["loadedAt"] = _time(model.loaded_at)
        told["lastUsed"] = None if model.used_at is None else _time(model.used_at)
        told["invocations"] = model.invocations
    return told


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
