"""The contract of callers: over a real connection, and in memory."""

import asyncio
import json
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from parkade.adapters.aws.sagemaker.caller import EndpointCaller
from parkade.adapters.aws.sagemaker.passage import Passage
from parkade.adapters.http.caller import Address, HttpCaller
from parkade.adapters.memory.callers import MemoryCaller
from parkade.domain.tester.shot import Reply
from tests.answering import answering, http
from tests.aws_account import an_account, write_config


@asynccontextmanager
async def by_http(answer):
    def told(body):
        reply = answer(body)
        if isinstance(reply, Exception):
            raise ConnectionResetError
        return [http(reply.body, status=reply.status, content_type=reply.content_type)]

    async with answering(told) as server:
        address = Address.of(f"http://127.0.0.1:{server.port}", "/text", {})
        caller = HttpCaller(address, timeout=30)
        yield caller
        await caller.close()


@asynccontextmanager
async def in_memory(answer):
    async def told(body, _content_type):
        reply = answer(body)
        if isinstance(reply, Exception):
            raise reply
        return reply

    yield MemoryCaller(told)


@asynccontextmanager
async def by_the_runtime(answer):
    """SageMaker's runtime, which tells of a model's bad answer within an error of its own."""

    def told(body):
        reply = answer(body)
        if isinstance(reply, Exception):
            raise ConnectionResetError
        if reply.status == 200:
            return [http(reply.body, content_type=reply.content_type)]
        error = {"OriginalStatusCode": reply.status, "OriginalMessage": reply.body.decode()}
        content = json.dumps({"Message": "the model", **error}).encode()
        kind = "application/json\r\nx-amzn-ErrorType: ModelError"
        return [http(content, status=424, content_type=kind)]

    async with answering(told) as server:
        url = f"http://127.0.0.1:{server.port}"
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "config"
            write_config(config, url)
            passage = Passage(an_account(config), seconds=30)
            yield EndpointCaller(passage, "text", {})


@pytest.fixture(params=[by_http, by_the_runtime, in_memory], ids=["http", "the runtime", "memory"])
def calling(request):
    return request.param


def run(calling, answer, *bodies, opened=True):
    """Make a call for each body; return the replies."""

    async def calls():
        async with calling(answer) as caller:
            if opened:
                await caller.open()
            return [await caller.call(body, "application/json") for body in bodies]

    return asyncio.run(calls())


def echo(body):
    return Reply(status=200, content_type="text/plain", body=body)


@pytest.mark.parametrize("opened", [True, False])
def test_the_answer_is_had_whole(calling, opened):
    long = b"x" * 1_000_000
    found = run(calling, echo, b"one", long, b"", opened=opened)
    assert [each.body for each in found] == [b"one", long, b""]
    assert {(each.status, each.content_type) for each in found} == {(200, "text/plain")}


def test_every_status_is_a_reply(calling):
    def answer(body):
        return Reply(status=int(body), content_type="text/plain", body=b"told")

    found = run(calling, answer, b"200", b"404", b"503")
    assert [each.status for each in found] == [200, 404, 503]
    assert {each.body for each in found} == {b"told"}


def test_who_hangs_up_is_no_error_but_a_reply_without_status(calling):
    def answer(body):
        return ConnectionResetError("gone") if body == b"bad" else echo(body)

    found = run(calling, answer, b"good", b"bad", b"good")
    assert [each.status for each in found] == [200, 0, 200]
    assert found[1].trouble
