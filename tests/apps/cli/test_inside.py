import asyncio
import threading

import httpx
import pytest

from parkade.apps.cli.client import Client
from parkade.apps.cli.inside import Inside, Loop
from parkade.apps.settings import ClientSettings


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.close()


def asking(app, loop):
    here = ClientSettings(url="http://parkade.invalid", token="secret")
    return Client(here, transport=Inside(app, loop))


async def echo(scope, receive, send):
    body = (await receive())["body"]
    headers = dict(scope["headers"])
    told = b'{"path": "%s", "query": "%s", "token": "%s", "body": %s}' % (
        scope["path"].encode(),
        scope["query_string"],
        headers[b"authorization"],
        body or b"null",
    )
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": told})


def test_a_request_reaches_the_application_with_all_that_it_says(loop):
    with asking(echo, loop) as client:
        told = client.post("leases", "a b", body={"minutes": 5}, dry_run="true")
    assert told == {
        "path": "/v1/leases/a b",
        "query": "dry_run=true",
        "token": "Bearer secret",
        "body": {"minutes": 5},
    }


def test_an_answer_is_read_piece_by_piece_while_the_application_goes_on(loop):
    going = threading.Event()

    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first\n", "more_body": True})
        await asyncio.to_thread(going.wait)
        await send({"type": "http.response.body", "body": b"second\n"})

    with asking(app, loop) as client, client.lines("events", headers={}) as lines:
        assert next(lines) == "first"
        going.set()
        assert next(lines) == "second"


def test_who_reads_no_further_calls_the_application_off(loop):
    ended = threading.Event()

    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first\n", "more_body": True})
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with asking(app, loop) as client, client.lines("events", headers={}) as lines:
        assert next(lines) == "first"
    assert ended.wait(30)


def test_a_fault_of_the_application_is_raised_where_it_is_asked(loop):
    async def app(_scope, _receive, _send):
        raise ZeroDivisionError("torn")

    with pytest.raises(ZeroDivisionError, match="torn"):
        httpx.Client(transport=Inside(app, loop)).get("http://parkade.invalid/")


def test_what_was_spawned_can_be_waited_for_and_is_called_off_at_the_end():
    loop, done, off = Loop(), threading.Event(), threading.Event()
    begun, go = threading.Event(), threading.Event()

    async def work():
        begun.set()
        await asyncio.to_thread(go.wait)
        done.set()

    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            off.set()

    loop.spawn(work())
    assert begun.wait(30)
    assert loop.busy
    go.set()
    loop.finish()
    assert done.is_set()
    assert not loop.busy
    loop.spawn(forever())
    assert loop.busy
    loop.close()
    assert off.is_set()
