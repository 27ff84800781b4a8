"""How silence is told from a host that was not there to listen."""

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from parkade.runtime import pings

EVERY, LIMIT, LAST = timedelta(seconds=0.01), timedelta(seconds=0.2), timedelta(seconds=60)


class Worker:
    """Answers health requests while it is well; `asked` is set by each of them."""

    def __init__(self, path):
        self.path = str(path)
        self.well = True
        self.asked = asyncio.Event()

    async def serve(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        if self.well:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()
        else:
            await reader.read()
            writer.close()


@asynccontextmanager
async def a_worker(folder):
    worker = Worker(folder / "w.sock")
    async with await asyncio.start_unix_server(worker.serve, worker.path):
        yield worker


async def asked_again(worker, silence):
    """Return once two further requests have come, or the silence was told."""
    for _ in range(2):
        worker.asked.clear()
        asking = asyncio.ensure_future(worker.asked.wait())
        await asyncio.wait({asking, silence}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
        asking.cancel()


@pytest.mark.parametrize("when", ["between two requests", "while one is answered"])
def test_a_host_that_was_stopped_for_a_while_asks_before_it_tells_silence(tmp_path, when):
    """As by Ctrl-Z, or on a machine that slept: the worker could not be heard, and is well."""

    async def story():
        async with a_worker(tmp_path) as worker:
            silence = asyncio.ensure_future(
                pings.until_silent(worker.path, every=EVERY, limit=LIMIT, last=LAST)
            )
            await asked_again(worker, silence)
            if when == "between two requests":
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            time.sleep(2 * LIMIT.total_seconds())  # noqa: ASYNC251 - nothing runs here
            await asked_again(worker, silence)
            assert not silence.done()
            silence.cancel()
            await asyncio.wait({silence})

    asyncio.run(story())


def test_who_gives_no_answer_is_silent(tmp_path):
    async def story():
        async with a_worker(tmp_path) as worker:
            worker.well = False
            await asyncio.wait_for(
                pings.until_silent(worker.path, every=EVERY, limit=LIMIT, last=EVERY), 60
            )

    asyncio.run(story())


def test_who_is_gone_is_silent_once_the_limit_is_over(tmp_path):
    async def story():
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await pings.until_silent(str(tmp_path / "w.sock"), every=EVERY, limit=LIMIT, last=LAST)
        assert loop.time() - begun >= LIMIT.total_seconds()

    asyncio.run(story())
