"""The invoker over a real gateway's inside socket."""

from __future__ import annotations

import asyncio

import pytest

from parkade.adapters.embedded.invoker import GatewayInvoker
from parkade.apps import link
from parkade.domain.errors import Unavailable
from parkade.ports.invoker import Answer
from tests.apps.gateway.stand import INSIDE, Reply, echo, stand, wait_for


def test_it_carries_body_content_type_and_errors() -> None:
    with stand() as house:
        worker = house.worker("w", lambda request: echo(request) if request.body else Reply(500))
        house.push(endpoints={"e": house.view("w")})
        secret = "of-a-former-run"
        invoker = GatewayInvoker(house.folder / "gateway.sock", lambda: secret)

        def invoke(endpoint: str, body: bytes) -> Answer:
            return asyncio.run(invoker.invoke(endpoint, body, "text/csv"))

        assert invoke("e", b"1,2").status == 401
        secret = INSIDE
        assert invoke("e", b"1,2") == Answer(status=200, content_type="text/csv", body=b"1,2")
        assert worker.requests[0].headers["content-type"] == "text/csv"
        assert invoke("e", b"").status == 424
        assert invoke("nowhere", b"").status == 400
        assert not invoke("e", b"").ok


def test_it_is_held_while_an_endpoint_wakes() -> None:
    with stand() as house:
        house.worker("w")
        asleep = link.Down(reason="asleep", hint="", retry_after=1, wakes=True)
        house.push(endpoints={"e": link.EndpointView(down=asleep)})
        invoker = GatewayInvoker(house.folder / "gateway.sock", lambda: INSIDE)

        async def story() -> Answer:
            asking = asyncio.create_task(invoker.invoke("e", b"1,2", "text/csv"))
            await asyncio.to_thread(wait_for, lambda: house.wanted)
            await asyncio.to_thread(house.push, endpoints={"e": house.view("w")})
            return await asking

        assert asyncio.run(story()).body == b"1,2"


def test_a_gateway_that_is_gone_is_unavailable() -> None:
    with stand() as house:
        worker = house.worker("w", lambda _: None)
        house.push(endpoints={"e": house.view("w")})
        invoker = GatewayInvoker(house.folder / "nowhere.sock", lambda: INSIDE)
        with pytest.raises(Unavailable, match="'e'"):
            asyncio.run(invoker.invoke("e", b"", "text/csv"))
        assert not worker.requests
