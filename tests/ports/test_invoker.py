"""The contract of the invoker, on the one in memory."""

import asyncio

import pytest

from parkade.adapters.memory.invoker import MemoryInvoker
from parkade.domain.errors import Unavailable
from parkade.ports.invoker import Answer


def test_an_invocation_returns_the_endpoints_answer():
    invoker = MemoryInvoker()
    answer = asyncio.run(invoker.invoke("falcon", b"{}", "application/json"))
    assert answer == Answer(status=200, content_type="application/json", body=b"{}")
    assert answer.ok
    assert invoker.invoked == [("falcon", b"{}", "application/json")]


def test_errors_of_the_endpoint_are_answers():
    refusal = Answer(status=424, content_type="application/json", body=b"{}")
    answer = asyncio.run(MemoryInvoker(lambda *_: refusal).invoke("falcon", b"", "text/csv"))
    assert answer == refusal
    assert not answer.ok


def test_a_data_plane_that_cannot_be_reached_is_unavailable():
    def fail(*_):
        raise Unavailable("the gateway does not answer")

    with pytest.raises(Unavailable):
        asyncio.run(MemoryInvoker(fail).invoke("falcon", b"", "text/csv"))
