"""The contract of the invoker: in memory, and over a real gateway."""

import asyncio
from contextlib import contextmanager

import pytest

from parkade.adapters.embedded.invoker import GatewayInvoker
from parkade.adapters.memory.invoker import MemoryInvoker
from parkade.domain.errors import Unavailable
from parkade.ports.invoker import Answer
from tests.apps.gateway.stand import INSIDE, Reply, stand

#: What the model of every endpoint answers to this body; to any other it answers with that.
BAD = b"bad"


@contextmanager
def in_memory():
    """Yield an invoker, and how to take the data plane away."""

    def answer(endpoint_name, body, content_type):
        if body == BAD or endpoint_name != "falcon":
            status = 424 if endpoint_name == "falcon" else 400
            return Answer(status=status, content_type="application/json", body=b"{}")
        return Answer(status=200, content_type=content_type, body=body)

    invoker = MemoryInvoker(answer)

    def unplug():
        def fail(*_):
            raise Unavailable("the data plane does not answer")

        invoker.answer = fail

    yield invoker, unplug


@contextmanager
def over_a_gateway():
    def answer(request):
        if request.body == BAD:
            return Reply(500, b'{"error": "no such layer"}')
        return Reply(body=request.body, headers={"Content-Type": request.headers["content-type"]})

    with stand() as built:
        built.worker("worker", answer)
        built.push(endpoints={"falcon": built.view("worker")})
        socket = built.folder / "gateway.sock"
        yield GatewayInvoker(socket, lambda: INSIDE), socket.unlink


@pytest.fixture(params=[in_memory, over_a_gateway])
def plane(request):
    with request.param() as built:
        yield built


@pytest.fixture
def invoke(plane):
    invoker, _ = plane
    return lambda *request: asyncio.run(invoker.invoke(*request))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"1,2\r\n", "text/csv"),
        (bytes(range(256)) * 1024, "application/octet-stream"),
        (b"", "x/y"),
    ],
)
def test_an_invocation_returns_the_endpoints_answer(invoke, body, content_type):
    answer = invoke("falcon", body, content_type)
    assert answer == Answer(status=200, content_type=content_type, body=body)
    assert answer.ok


def test_an_error_of_the_model_is_an_answer(invoke):
    answer = invoke("falcon", BAD, "application/json")
    assert answer.status == 424
    assert answer.content_type == "application/json"
    assert not answer.ok


def test_an_error_of_the_endpoint_is_an_answer(invoke):
    answer = invoke("nonesuch", b"{}", "application/json")
    assert answer.status == 400
    assert not answer.ok


def test_many_at_once_do_not_mix(plane):
    invoker, _ = plane

    async def all_of(bodies):
        return await asyncio.gather(*(invoker.invoke("falcon", b, "text/csv") for b in bodies))

    bodies = [str(number).encode() for number in range(20)]
    assert [answer.body for answer in asyncio.run(all_of(bodies))] == bodies


def test_a_data_plane_that_cannot_be_reached_is_unavailable(plane, invoke):
    _, unplug = plane
    unplug()
    with pytest.raises(Unavailable):
        invoke("falcon", b"", "text/csv")


def test_the_one_in_memory_remembers_what_it_was_asked():
    invoker = MemoryInvoker()
    answer = asyncio.run(invoker.invoke("falcon", b"{}", "application/json"))
    assert answer == Answer(status=200, content_type="application/json", body=b"{}")
    assert invoker.invoked == [("falcon", b"{}", "application/json")]
