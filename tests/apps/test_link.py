"""What goes over the link comes out as it went in."""

from __future__ import annotations

import asyncio
import json

from parkade.apps import link, linkcalls, snapshots

SNAPSHOT = link.Snapshot(
    version=7,
    inside="secret",
    auth=False,
    endpoints={
        "up": link.EndpointView(
            variants=(
                link.VariantRoute(
                    name="a",
                    weight=0.5,
                    instances=(link.InstanceRoute(id="i", addresses=("/run/i.sock",)),),
                ),
                link.VariantRoute(name="b", weight=2),
            ),
            generation=3,
            rising=link.Rising(
                generation=4,
                weight=1,
                parts=10,
                variants=(link.VariantRoute(name="a", weight=1, hostnames=("h",)),),
            ),
        ),
        "down": link.EndpointView(down=link.Down(reason="expired", hint="ä", retry_after=60)),
    },
    routes={
        "/falcon": link.RouteView(endpoint="up", public=True),
        "/text": link.RouteView(
            endpoint="up", project="TextDemo", rate=0.5, burst=3, seconds=2.5, header="X-User"
        ),
        "/open": link.RouteView(endpoint="up", cookie="visitor"),
    },
    tokens=(
        link.TokenView(name="t", digest="00", role="invoker", endpoints=("a", "b")),
        link.TokenView(name="u", digest="01", role="admin", expires_at=1.5),
    ),
    limits=link.Limits(body_bytes=1, rate=2, burst=3, waiting=4, model_seconds=5),
)


def test_a_snapshot_survives_the_link() -> None:
    text = json.dumps(snapshots.to_json(SNAPSHOT))
    assert snapshots.from_json(json.loads(text)) == SNAPSHOT


def test_usage_survives_the_link() -> None:
    spread = link.Spread(total=7, least=2, most=5, buckets={5: 1, 9: 1})
    report = {
        "e": {
            "a": link.Usage(invocations=2, model_us=7, model=spread, age=0.5),
            "b": link.Usage(in_flight=3),
        }
    }
    text = json.dumps(link.usage_to_json(report))
    assert link.usage_from_json(json.loads(text)) == report


def test_calls_survive_the_link() -> None:
    spread = link.Spread(total=7.25, least=2.001, most=5.2, buckets={-5: 1, 9: 1})
    calls = (
        linkcalls.Calls(api="parkade", resource="/text", calls=2, errors_4xx=1, latency=spread),
        linkcalls.Calls(api="TextDemo", resource="/open", calls=1, errors_5xx=1),
    )
    text = json.dumps(linkcalls.to_json(calls))
    assert linkcalls.from_json(json.loads(text)) == calls


def test_frames_are_read_one_by_one_however_they_arrive() -> None:
    messages = [{"kind": "applied", "version": n, "text": "ä" * n * 1000} for n in range(4)]

    async def read_all() -> list[dict[str, object]]:
        reader = asyncio.StreamReader()
        stream = b"".join(link.frame(message) for message in messages)
        for start in range(0, len(stream), 1000):
            reader.feed_data(stream[start : start + 1000])
        return [await link.read(reader) for _ in messages]

    assert asyncio.run(read_all()) == messages
