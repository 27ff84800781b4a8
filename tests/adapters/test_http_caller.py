"""The caller over HTTP: what it sends, and what others may do to it."""

import asyncio

import pytest

from parkade.adapters.http.caller import Address, HttpCaller
from parkade.domain.errors import InvalidInput
from tests.answering import answering, http
from tests.house import PATIENCE


def calls(answer, count=1, *, timeout=PATIENCE, hang_up=False, headers=None):
    """Make so many calls over one caller; return the replies and the server.

    With `hang_up` the server closes the connection between two calls, and the caller hears of it.
    """

    async def run():
        async with answering(answer) as server:
            url = f"http://127.0.0.1:{server.port}/prod"
            caller = HttpCaller(Address.of(url, "/text", headers or {}), timeout=timeout)
            replies = []
            for number in range(count):
                if number and hang_up:
                    server.hang_up()
                    while not caller._connection.closed:
                        await asyncio.sleep(0.001)
                replies.append(await caller.call(b'{"a": 1}', "application/json"))
            await caller.close()
            return replies, server

    return asyncio.run(run())


def test_what_is_sent():
    _, server = calls(lambda _: [http()], headers={"Authorization": "Bearer secret"})
    ((line, headers, body),) = server.requests
    assert line == "POST /prod/text HTTP/1.1"
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert headers["authorization"] == "bearer secret"
    assert headers["content-type"] == "application/json"
    assert body == b'{"a": 1}'


def test_one_connection_for_all_calls():
    replies, server = calls(lambda _: [http(b"1")], 5)
    assert [each.body for each in replies] == [b"1"] * 5
    assert server.connections == 1


def test_a_connection_that_was_closed_meanwhile_is_opened_anew():
    replies, server = calls(lambda _: [http()], 3, hang_up=True)
    assert [each.status for each in replies] == [200] * 3
    assert server.connections == 3


def test_a_server_that_closes_after_each_answer_is_connected_to_again():
    replies, server = calls(lambda _: [http(b"1", close=True)], 3)
    assert [each.status for each in replies] == [200] * 3
    assert server.connections == 3


def test_an_answer_in_pieces_and_in_chunks():
    pieces = [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        None,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nTransfer-Enco",
        None,
        b"ding: chunked\r\n\r\n3\r\nabc\r\n",
        None,
        b"2\r\nde\r\n0\r\n\r\n",
    ]
    (reply,), _ = calls(lambda _: pieces)
    assert (reply.status, reply.content_type, reply.body) == (200, "text/csv", b"abcde")


def test_an_answer_that_breaks_off_is_none():
    def answer(_body):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
        raise ConnectionResetError

    (reply,), _ = calls(answer)
    assert reply.status == 0
    assert "the connection broke" in reply.trouble


def test_what_is_no_http_is_no_answer():
    replies, _ = calls(lambda _: [b"SSH-2.0-OpenSSH\r\n\r\n"], 2)
    assert [each.status for each in replies] == [0, 0]


def test_an_answer_that_takes_too_long_is_none_and_the_next_call_has_a_connection_of_its_own():
    begun = [b"HTTP/1.1 200 OK\r\n"]
    answers = iter([begun, [http(b"2")]])

    def answer(_body):
        pieces = next(answers)
        if pieces is begun:
            let_pass(3600)
        return pieces

    replies, server = calls(answer, 2, timeout=900.0)
    assert [each.status for each in replies] == [0, 200]
    assert replies[0].trouble == "no answer within 900 s"
    assert server.connections == 2


def let_pass(seconds):
    """Have so much time pass at once for all that wait on this event loop."""
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds


def test_nobody_there(closed_port):
    async def run():
        url = f"http://127.0.0.1:{closed_port}"
        caller = HttpCaller(Address.of(url, "/text", {}), timeout=PATIENCE)
        await caller.open()
        return await caller.call(b"", "text/plain")

    reply = asyncio.run(run())
    assert reply.status == 0
    assert reply.trouble.startswith("no connection: ")


def test_over_a_unix_socket(tmp_path):
    async def run():
        socket = tmp_path / "gateway.sock"
        async with answering(lambda _: [http(b"here")], socket=socket) as server:
            address = Address(host="gateway", port=0, target="/text", socket=socket)
            caller = HttpCaller(address, timeout=PATIENCE)
            reply = await caller.call(b"", "text/plain")
            await caller.close()
            return reply, server.requests[0]

    reply, (_, headers, _) = asyncio.run(run())
    assert reply.body == b"here"
    assert headers["host"] == "gateway"


def test_a_call_that_is_called_off_leaves_its_connection_closed():
    async def run():
        held = asyncio.Event()

        def answer(_body):
            held.set()
            return []

        async with answering(answer) as server:
            caller = HttpCaller(
                Address.of(f"http://127.0.0.1:{server.port}", "/", {}), timeout=PATIENCE
            )
            call = asyncio.create_task(caller.call(b"", "text/plain"))
            await held.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            server.answer = lambda _: [http(b"later")]
            reply = await caller.call(b"", "text/plain")
            await caller.close()
            return reply, server.connections

    reply, connections = asyncio.run(run())
    assert reply.body == b"later"
    assert connections == 2


@pytest.mark.parametrize("url", ["", "localhost:8700", "ftp://x", "http://", "http://x:99999"])
def test_what_is_no_url_is_refused(url):
    with pytest.raises(InvalidInput, match="URL"):
        Address.of(url, "/text", {})


def test_the_address_of_a_url():
    address = Address.of("https://example.com", "/text", {})
    assert (address.port, address.target) == (443, "/text")
    assert address.tls is not None
    assert b"Host: example.com\r\n" in address.head()
    assert b"Host: [::1]:8700\r\n" in Address.of("http://[::1]:8700", "/", {}).head()


def test_a_header_cannot_bring_another():
    address = Address.of("http://x", "/text", {"Authorization": "a\r\nX-Other: b"})
    with pytest.raises(InvalidInput):
        HttpCaller(address, timeout=1)
