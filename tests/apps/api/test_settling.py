"""Answers wait until gateways route by what they say."""

import asyncio
from types import SimpleNamespace

from parkade.apps.api.settling import Settled


def test_the_api_settles_before_each_answer(world):
    before = world.settlings
    world.ok("GET", "/v1/endpoints")
    assert world.call("GET", "/v1/endpoints/none").status_code == 404
    assert world.settlings == before + 2


def test_nothing_is_sent_before():
    async def story():
        settled = asyncio.Event()
        sent = []

        async def app(scope, receive, send):
            await send({"type": "http.response.start"})
            await send({"type": "http.response.body"})

        async def send(message):
            sent.append(message["type"])

        layer = Settled(app, SimpleNamespace(settled=settled.wait))
        call = asyncio.create_task(layer({"type": "http"}, None, send))
        for _ in range(3):
            await asyncio.sleep(0)
        before = list(sent)
        settled.set()
        await call
        return before, sent

    assert asyncio.run(story()) == ([], ["http.response.start", "http.response.body"])
