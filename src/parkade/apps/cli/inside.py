"""Asks the management API inside this process: for a cloud that has no server to ask.

The application runs on a loop of its own thread, as it would in a server; answers come piece by
piece, so that what follows events or logs works as over HTTP.
"""

from __future__ import annotations

import asyncio
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from starlette.types import ASGIApp, Message

#: The end of an answer, among its pieces.
_END = object()


class Loop:
    """An event loop on a thread of its own, and what runs on it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[object]] = set()
        self._thread.start()

    def call(self, function: Callable[[], Any]) -> Any:
        """Call the function on the loop, and return what it returns."""

        async def called() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result()

    def spawn(self, coroutine: Coroutine[object, object, object]) -> None:
        """Run it in the background; callable on the loop and from other threads."""
        self._loop.call_soon_threadsafe(self._keep, coroutine)

    def begin(self, coroutine: Coroutine[object, object, object]) -> Callable[[], None]:
        """Run it in the background; return what calls it off."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)

        def end() -> None:
            future.cancel()

        return end

    @property
    def busy(self) -> bool:
        """Whether anything that was spawned still runs."""
        return bool(self.call(lambda: set(self._tasks)))

    def finish(self) -> None:
        """Wait until all that was spawned has ended."""

        async def ended() -> None:
            while self._tasks:
                await asyncio.wait(self._tasks)

        asyncio.run_coroutine_threadsafe(ended(), self._loop).result()

    def close(self) -> None:
        """Call off what still runs, and end the thread."""
        asyncio.run_coroutine_threadsafe(self._cancel(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _keep(self, coroutine: Coroutine[object, object, object]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _cancel(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class Inside(httpx.BaseTransport):
    """A transport to an ASGI application on a `Loop`."""

    def __init__(self, app: ASGIApp, loop: Loop) -> None:
        self._app = app
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer once it has begun; its body comes as it is read."""
        answer: SimpleQueue[Any] = SimpleQueue()
        end = self._loop.begin(_asked(self._app, _scope(request), request.read(), answer))
        begun = answer.get()
        if isinstance(begun, BaseException):
            raise begun
        return httpx.Response(
            begun["status"], headers=begun["headers"], stream=_Pieces(answer, end), request=request
        )


class _Pieces(httpx.SyncByteStream):
    """The body of an answer."""

    def __init__(self, answer: SimpleQueue[Any], end: Callable[[], None]) -> None:
        self._answer = answer
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._answer.get()) is not _END:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def close(self) -> None:
        self._end()


async def _asked(
    app: ASGIApp, scope: dict[str, Any], body: bytes, answer: SimpleQueue[Any]
) -> None:
    """Have the application answer one request."""
    given = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        message = next(given, None)
        if message is None:
            # Nobody hangs up: the caller is this process, and calls the task off.
            await asyncio.Event().wait()
            raise AssertionError("an event that nobody sets was set")
        return message

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.put({"status": message["status"], "headers": message.get("headers", [])})
        elif message.get("body"):
            answer.put(message["body"])

    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001  it is raised where the answer is waited for
        answer.put(error)
    finally:
        answer.put(_END)


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": None,
        "root_path": "",
    }
