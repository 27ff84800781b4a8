"""Control's end of the link, with gateways of the test's own on the other end."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from parkade.apps import link, snapshots
from parkade.apps.control import link as control_link
from parkade.apps.control.link import LinkServer
from tests.house import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from parkade.apps.control.monitor.collector import Report


#: Longer than any test.
NEVER = 10_000.0


def snapshot(version: int, **fields: Any) -> link.Snapshot:
    return link.Snapshot(version=version, inside="secret", **fields)


@dataclass
class End:
    """A link with its server, and what the server handed on."""

    server: LinkServer
    path: Path
    used: list[tuple[str, link.UsageReport]]
    gone: list[str]
    events: list[link.Happening]
    reports: list[Report]
    wanted: list[str]

    async def connect(self) -> Gateway:
        reader, writer = await asyncio.open_unix_connection(self.path)
        return Gateway(reader, writer)


class Gateway:
    """The other end, told what to say."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def hear(self) -> dict[str, Any]:
        return await asyncio.wait_for(link.read(self.reader), PATIENCE)

    def apply(self, version: int) -> None:
        self.writer.write(link.frame({"kind": "applied", "version": version, "gateway": "id"}))

    async def leave(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[End]:
    path = folder / "link.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        used: list[tuple[str, link.UsageReport]] = []
        gone: list[str] = []
        events: list[link.Happening] = []
        reports: list[Report] = []
        wanted: list[str] = []
        server = LinkServer(
            listener,
            on_usage=lambda *each: used.append(each),
            on_gone=gone.append,
            on_event=events.append,
            on_report=reports.append,
            on_wanted=wanted.append,
        )
        end = End(server, path, used, gone, events, reports, wanted)
        await server.start()
        try:
            yield end
        finally:
            await server.close()
        assert path.exists(), "the path is the supervisor's"


def test_a_gateway_gets_the_newest_snapshot_when_it_comes_and_when_it_changes(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with serving(tmp_path) as end:
            early = await end.connect()
            end.server.push(snapshot(1))
            assert (await early.hear())["snapshot"]["version"] == 1
            late = await end.connect()
            assert (await late.hear())["snapshot"]["version"] == 1
            assert not end.server.connected
            end.server.push(snapshot(2, auth=False))
            for gateway in (early, late):
                message = await gateway.hear()
                assert snapshots.from_json(message["snapshot"]) == snapshot(2, auth=False)
                await gateway.leave()

    asyncio.run(story())


def test_what_a_gateway_wants_is_asked_for(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path) as end:
            gateway = await end.connect()
            for name in ("falcon", "other", "falcon"):
                gateway.writer.write(link.frame({"kind": "wake", "endpoint": name}))
            gateway.apply(0)
            while len(end.wanted) < 3:
                await asyncio.sleep(0.005)
            assert end.wanted == ["falcon", "other", "falcon"]
            await gateway.leave()

    asyncio.run(story())


def test_settled_waits_for_every_gateway_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_link, "SETTLE_LIMIT", NEVER)

    async def story() -> None:
        async with serving(tmp_path) as end:
            one, two, three = [await end.connect() for _ in range(3)]
            end.server.push(snapshot(1))
            for gateway in (one, two, three):
                await gateway.hear()
            settled = asyncio.create_task(end.server.settled())
            one.apply(1)
            two.apply(1)
            await asyncio.sleep(0.05)
            assert not settled.done()
            assert end.server.connected
            await three.leave()
            await asyncio.wait_for(settled, PATIENCE)
            await one.leave()
            await two.leave()

    asyncio.run(story())


def test_settled_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_link, "SETTLE_LIMIT", 0.1)

    async def story() -> None:
        async with serving(tmp_path) as end:
            await asyncio.wait_for(end.server.settled(), PATIENCE)  # nobody is there
            mute = await end.connect()
            end.server.push(snapshot(1))
            await mute.hear()
            await asyncio.wait_for(end.server.settled(), PATIENCE)
            await mute.leave()

    asyncio.run(story())


def test_an_applied_older_snapshot_does_not_settle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_link, "SETTLE_LIMIT", NEVER)

    async def story() -> None:
        async with serving(tmp_path) as end:
            gateway = await end.connect()
            end.server.push(snapshot(1))
            await gateway.hear()
            gateway.apply(1)
            await end.server.settled()
            end.server.push(snapshot(2))
            settled = asyncio.create_task(end.server.settled())
            await asyncio.sleep(0.05)
            assert not settled.done()
            await gateway.hear()
            gateway.apply(2)
            await settled
            await gateway.leave()

    asyncio.run(story())


def test_usage_and_events_are_handed_on_and_acknowledged(tmp_path: Path) -> None:
    report = {"e": {"v": link.Usage(invocations=3)}}
    told = link.Happening(kind="capture.off", reason="the disk is full", data={"count": 1})

    async def story() -> None:
        async with serving(tmp_path) as end:
            gateways = [await end.connect(), await end.connect()]
            for number, gateway in enumerate(gateways):
                usage = link.usage_to_json(report)
                gateway.writer.write(
                    link.frame(
                        {
                            "kind": "usage",
                            "number": number,
                            "usage": usage,
                            "events": [asdict(told)],
                            "gateway": f"id-{number}",
                            "silence": None if number else 2.5,
                            "last": bool(number),
                        }
                    )
                )
                assert await gateway.hear() == {"kind": "counted", "number": number}
            assert [usage for _, usage in end.used] == [report, report]
            assert end.events == [told, told]
            assert [(r.gateway, r.silence, r.last) for r in end.reports] == [
                ("id-0", 2.5, False),
                ("id-1", None, True),
            ]
            assert [(r.peer, r.usage) for r in end.reports] == end.used
            names = {name for name, _ in end.used}
            assert len(names) == 2
            for gateway in gateways:
                await gateway.leave()
            while len(end.gone) < 2:
                await asyncio.sleep(0.01)
            assert set(end.gone) == names

    asyncio.run(story())


def test_a_gateway_that_reads_slowly_gets_the_newest_and_not_every_snapshot(
    tmp_path: Path,
) -> None:
    routes = {f"/r{number}": link.RouteView(endpoint="e") for number in range(5000)}

    async def story() -> None:
        async with serving(tmp_path) as end:
            slow = await end.connect()
            for version in range(1, 101):
                end.server.push(snapshot(version, routes=routes))
                await asyncio.sleep(0)
            versions = []
            while not versions or versions[-1] < 100:
                versions.append((await slow.hear())["snapshot"]["version"])
            assert len(versions) < 20
            await slow.leave()

    asyncio.run(story())
