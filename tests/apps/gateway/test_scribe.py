"""Writing captured calls down: real files, a real thread, an objects folder."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from parkade.adapters.folder.objects import FolderObjects
from parkade.apps.gateway import capture, scribe
from parkade.apps.gateway.scribe import Rules, Scribe
from parkade.apps.gateway.spool import Spools
from tests.apps.gateway.stand import wait_for
from tests.apps.gateway.test_lines import AT, call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from parkade.apps import link
    from parkade.apps.gateway.capture import Captured

#: Longer than any test.
NEVER = 10_000.0


class Desk:
    """A scribe and what it leaves behind."""

    def __init__(self, folder: Path) -> None:
        self.spools = folder / "spools"
        self.objects = folder / "objects"
        self.events: list[link.Happening] = []

    def scribe(self, *, seconds: float = NEVER, disk_percent: float = 100) -> Scribe:
        made = Scribe(
            self.spools,
            room=self.objects.parent,
            objects=lambda: FolderObjects(self.objects),
            tell=self.events.append,
        )
        made.rules = Rules(seconds=seconds, disk_percent=disk_percent)
        return made

    def files(self) -> dict[str, list[str]]:
        """Return the ids of the calls in each object, by its key."""
        if not self.objects.is_dir():
            return {}
        store = FolderObjects(self.objects)
        found = {}
        for info in store.ls("bucket"):
            with store.open(info.bucket, info.key) as file:
                found[info.key] = [json.loads(line)["eventMetadata"]["eventId"] for line in file]
        return found

    def ids(self) -> list[str]:
        return sorted(each for ids in self.files().values() for each in ids)

    def spooled(self) -> list[Path]:
        return sorted(self.spools.glob("*.spool"))

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "LOOK_SECONDS", 0.02)


def several(count: int, **fields: Any) -> Iterator[Captured]:
    return (call(event_id=f"{number:04d}", **fields) for number in range(count))


def test_calls_of_an_hour_and_variant_become_one_object_at_the_end(desk: Desk):
    writer = desk.scribe()
    writer.start()
    for one in several(10):
        assert writer.write(one)
    writer.write(call(event_id="other", variant="w"))
    writer.write(call(event_id="later", at=AT + 3600))
    writer.close()
    found = {"/".join(key.split("/")[2:8]): ids for key, ids in desk.files().items()}
    assert found == {
        "e/v/2026/02/03/04": [f"{number:04d}" for number in range(10)],
        "e/w/2026/02/03/04": ["other"],
        "e/v/2026/02/03/05": ["later"],
    }
    assert desk.spooled() == []
    assert desk.events == []


@pytest.mark.semantics("capture.delivery")
def test_an_object_appears_when_its_time_is_over(desk: Desk):
    writer = desk.scribe(seconds=0.05)
    writer.start()
    writer.write(call(event_id="first"))
    wait_for(lambda: desk.ids() == ["first"])
    writer.write(call(event_id="second"))
    wait_for(lambda: desk.ids() == ["first", "second"])
    assert len(desk.files()) == 2
    writer.close()


@pytest.mark.semantics("capture.key")
def test_an_object_appears_when_the_hour_of_its_calls_is_over(desk: Desk):
    writer = desk.scribe()
    writer.start()
    writer.write(call(event_id="late", at=AT - AT % 3600 + 3599.5))
    wait_for(lambda: desk.ids() == ["late"])
    writer.close()


def test_an_object_appears_when_it_is_large(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scribe, "SPOOL_BYTES", 100)
    writer = desk.scribe()
    writer.start()
    for one in several(4):
        writer.write(one)
    wait_for(lambda: len(desk.ids()) == 4)
    assert len(desk.files()) == 4
    writer.close()


def test_what_comes_faster_than_it_can_be_written_is_dropped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scribe, "WAITING_CALLS", 3)
    writer = desk.scribe()
    assert [writer.write(one) for one in several(5)] == [True, True, True, False, False]
    writer.start()
    writer.close()
    assert len(desk.ids()) == 3


def test_what_waits_is_bounded_in_bytes(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    size = call().size
    monkeypatch.setattr(scribe, "WAITING_BYTES", 2 * size)
    writer = desk.scribe()
    assert [writer.write(one) for one in several(3)] == [True, True, False]
    writer.start()
    wait_for(lambda: writer.write(call(event_id="again")))
    writer.close()
    assert len(desk.ids()) == 3


def test_a_disk_that_is_fuller_than_the_limit_turns_it_off_until_there_is_room(
    desk: Desk, quick: None
):
    writer = desk.scribe(disk_percent=0.001)
    writer.start()
    writer.write(call(event_id="full"))
    wait_for(lambda: desk.kinds() == ["capture.off"])
    assert "above 0.001 %" in desk.events[0].reason
    for one in several(3):
        assert writer.write(one)
    assert desk.spooled() == []
    writer.rules = Rules(seconds=NEVER, disk_percent=100)
    wait_for(lambda: desk.kinds() == ["capture.off", "capture.on"])
    assert desk.events[1].data == {"count": 4}
    writer.write(call(event_id="room"))
    writer.close()
    assert desk.ids() == ["room"]


def test_an_objects_folder_that_cannot_be_written_turns_it_off_and_loses_nothing(
    desk: Desk, quick: None
):
    desk.objects.write_text("not a folder")
    writer = desk.scribe(seconds=0.02)
    writer.start()
    writer.write(call(event_id="early"))
    wait_for(lambda: desk.kinds() == ["capture.off"])
    assert len(desk.spooled()) == 1
    desk.objects.unlink()
    wait_for(lambda: desk.kinds() == ["capture.off", "capture.on"])
    assert desk.ids() == ["early"]
    writer.close()


def test_an_objects_folder_that_is_taken_away_at_this_moment_is_no_full_disk(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    desk.objects.mkdir()
    statvfs = os.statvfs

    def taken_away(path: Path) -> os.statvfs_result:
        if path == desk.objects:
            path.rmdir()
        return statvfs(path)

    monkeypatch.setattr(scribe.os, "statvfs", taken_away)
    assert 0 < scribe._percent_used(desk.objects) <= 100


def test_a_spool_folder_that_cannot_be_written_turns_it_off(desk: Desk, quick: None):
    desk.spools.write_text("not a folder")
    writer = desk.scribe()
    writer.start()
    writer.write(call())
    wait_for(lambda: desk.events)
    assert "lines cannot be written" in desk.events[0].reason
    desk.spools.unlink()
    wait_for(lambda: not writer.off)
    writer.write(call(event_id="again"))
    writer.close()
    assert desk.ids() == ["again"]


def test_a_destination_that_is_taken_concerns_its_endpoint_alone(desk: Desk):
    """A key cannot be an object and a folder of objects; the lines wait for the next start."""
    FolderObjects(desk.objects)
    (desk.objects / "bucket" / "some" / "prefix" / "e").mkdir(parents=True)
    blocker = desk.objects / "bucket" / "some" / "prefix" / "e" / "v"
    blocker.write_text("an object")
    writer = desk.scribe(seconds=0.02)
    writer.start()
    writer.write(call(event_id="blocked"))
    wait_for(lambda: desk.kinds() == ["capture.failed"])
    assert (desk.events[0].endpoint, writer.off) == ("e", "")
    assert "a key cannot be both" in desk.events[0].reason
    blocker.unlink()
    writer.write(call(event_id="other", variant="w"))
    wait_for(lambda: desk.ids() == ["other"])
    writer.close()
    successor = desk.scribe()
    successor.start()
    successor.close()
    assert desk.ids() == ["blocked", "other"]


def test_a_fault_of_the_writer_is_told_and_hurts_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    def fault(_: Captured) -> bytes:
        raise RuntimeError("a bug")

    monkeypatch.setattr(capture, "line", fault)
    writer = desk.scribe()
    writer.start()
    writer.write(call())
    wait_for(lambda: desk.events)
    assert "a bug" in desk.events[0].reason
    assert writer.write(call())
    writer.close()


def _write_until_killed(folder: Path, count: int, pipe: Any) -> None:
    writer = Desk(folder).scribe()
    writer.start()
    for one in several(count):
        writer.write(one)
    wait_for(lambda: writer._queue.empty() and writer._done == writer._taken)
    pipe.send("written")
    signal.pause()


def test_what_a_killed_process_has_spooled_is_delivered_by_the_next_one(desk: Desk):
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_write_until_killed, args=(desk.spools.parent, 50, theirs), daemon=True
    )
    process.start()
    assert ours.recv() == "written"
    # As long as that one lives its spools are its own.
    assert list(Spools(desk.spools).left()) == []
    process.kill()
    process.join()
    # It was about to write one more.
    with desk.spooled()[0].open("ab") as file:
        file.write(b'{"captureData": {"endpoint')
    writer = desk.scribe()
    writer.start()
    writer.close()
    assert desk.ids() == [f"{number:04d}" for number in range(50)]
    assert desk.spooled() == []


def test_a_spool_that_was_delivered_and_not_removed_is_the_same_object_again(desk: Desk):
    spool = Spools(desk.spools).begin(*capture.address(call()))
    spool.append(capture.line(call(event_id="once")))
    spool.deliver(FolderObjects(desk.objects))
    spool.close()  # killed here
    writer = desk.scribe()
    writer.start()
    writer.close()
    assert desk.ids() == ["once"]
    assert desk.spooled() == []


@pytest.mark.parametrize(
    "content", [b"", b'["bucket", "k', b'["bucket", "key"]\n', b'["bucket", "key"]\n{"torn'],
    ids=["nothing", "torn address", "no line", "torn line"],
)  # fmt: skip
def test_a_spool_without_a_line_leaves_nothing(desk: Desk, content: bytes):
    desk.spools.mkdir()
    (desk.spools / "left.spool").write_bytes(content)
    writer = desk.scribe()
    writer.start()
    writer.close()
    assert desk.files() == {}
    assert desk.spooled() == []
    assert desk.events == []


def test_a_file_that_is_no_spool_is_told_and_kept(desk: Desk):
    desk.spools.mkdir()
    strange = desk.spools / "strange.spool"
    strange.write_bytes(b"not a spool\nat all\n")
    writer = desk.scribe()
    writer.start()
    writer.write(call(event_id="fine"))
    writer.close()
    assert desk.kinds() == ["capture.failed"]
    assert strange.exists()
    assert desk.ids() == ["fine"]


def test_a_line_that_cannot_be_written_whole_is_not_there_at_all(desk: Desk):
    spool = Spools(desk.spools).begin(*capture.address(call()))
    spool.append(b"whole\n")
    reading = os.open(spool.path, os.O_RDONLY)
    spare = os.dup(spool._descriptor)
    size = spool.size
    resource = pytest.importorskip("resource")
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 3, former[1]))
        with pytest.raises(OSError, match="File too large"):
            spool.append(b"too long\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, previous)
    spool.append(b"after\n")
    content = os.pread(reading, 1000, 0)
    assert content.splitlines()[1:] == [b"whole", b"after"]
    os.close(reading)
    os.close(spare)
    spool.remove()
