"""Archives of models: what they are called, and that each is packed and stored once."""

import threading

import pytest

from parkade.apps.cli import archives
from parkade.apps.cli.client import Client
from parkade.apps.settings import ClientSettings
from parkade.domain.errors import Conflict, InvalidInput, ParkadeError
from parkade.runtime import packing
from tests.house import wait_for


@pytest.fixture
def client(desk):
    settings = ClientSettings(
        url=desk.environment["PARKADE_URL"], token=desk.environment["PARKADE_TOKEN"]
    )
    with Client(settings) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model-a"
    (made / "code").mkdir(parents=True)
    (made / "code" / "inference.py").write_text("def model_fn(folder): ...\n")
    (made / "weights.bin").write_bytes(bytes(3000))
    return made


def read(source, model="model-a"):
    return archives.read(model, source, bucket="text-archive", prefix="TextDemo")


def stored(desk):
    if "text-archive" not in [each.name for each in desk.world.objects.buckets()]:
        return {}
    return {each.key: each.size for each in desk.world.objects.ls("text-archive")}


def test_a_folder_is_stored_under_the_digest_of_its_content(desk, client, folder, tmp_path):
    archive = read(folder)
    assert archive.address == f"s3://text-archive/TextDemo/{packing.digest(folder)}.tar.gz"
    assert archives.missing(client, [archive]) == [archive]
    archives.store(client, archive, tmp_path / "cache")
    packed = packing.pack(folder, tmp_path / "own.tar.gz")
    (key,) = stored(desk)
    assert key == f"TextDemo/{packed.digest}.tar.gz"
    assert desk.world.objects.open("text-archive", key).read() == packed.path.read_bytes()
    assert archives.missing(client, [archive]) == []
    assert [each.name for each in (tmp_path / "cache" / "archives").iterdir()] == [".lock"]


def test_an_archive_is_stored_as_it_is_under_its_own_digest(desk, client, folder, tmp_path):
    packed = packing.pack(folder, tmp_path / "own.tar.gz").path
    archive = read(packed)
    assert archive.digest != packing.digest(folder)
    archives.store(client, archive, tmp_path / "cache")
    (key,) = stored(desk)
    assert desk.world.objects.stat("text-archive", key).etag == archive.digest
    assert not (tmp_path / "cache").exists()


def test_the_same_content_of_two_models_is_one_archive(client, folder):
    one, two = read(folder), read(folder, "model-b")
    assert archives.missing(client, [one, two]) == [two]


def test_what_was_packed_before_it_was_killed_is_stored_without_packing_again(
    desk, client, folder, tmp_path
):
    archive = read(folder)
    waiting = tmp_path / "cache" / "archives"
    waiting.mkdir(parents=True)
    packed = packing.pack(folder, waiting / f"{archive.digest}.tar.gz").path
    packed.write_bytes(packed.read_bytes() + b"packed before")
    content = packed.read_bytes()
    (waiting / f"{packing.UNFINISHED}half").write_bytes(b"half")
    archives.store(client, archive, tmp_path / "cache")
    (key,) = stored(desk)
    assert desk.world.objects.open("text-archive", key).read() == content
    assert [each.name for each in waiting.iterdir()] == [".lock"]


def test_two_processes_that_store_the_same_pack_it_once(desk, client, folder, tmp_path):
    archive = read(folder)
    puts = []
    both = threading.Barrier(2)

    def look(path):
        if path.endswith(".tar.gz"):
            puts.append(path)

    desk.front.looks_on = look

    def run():
        settings = ClientSettings(
            url=desk.environment["PARKADE_URL"], token=desk.environment["PARKADE_TOKEN"]
        )
        both.wait()
        with Client(settings) as own:
            archives.store(own, archive, tmp_path / "cache")

    threads = [threading.Thread(target=run) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    wait_for(lambda: stored(desk))
    # Each looks whether it is there, and one of them stores it.
    assert len(puts) == 3


def test_a_folder_that_changes_after_it_was_read_is_not_stored(desk, client, folder, tmp_path):
    archive = read(folder)
    (folder / "weights.bin").write_bytes(b"other")
    with pytest.raises(Conflict, match=r"model-a, was changed after it was read"):
        archives.store(client, archive, tmp_path / "cache")
    assert stored(desk) == {}
    assert [each.name for each in (tmp_path / "cache" / "archives").iterdir()] == [".lock"]


def test_an_archive_that_changes_after_it_was_read_is_not_stored(desk, client, folder, tmp_path):
    archive = read(packing.pack(folder, tmp_path / "own.tar.gz").path)
    archive.source.write_bytes(b"other")
    with pytest.raises(ParkadeError, match="SHA-256"):
        archives.store(client, archive, tmp_path / "cache")
    assert stored(desk) == {}


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(
        InvalidInput, match=r"model model-a cannot be read: .*none\.tar\.gz: No such"
    ):
        read(tmp_path / "none.tar.gz")


def test_a_cache_that_cannot_be_written_is_named(client, folder, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ParkadeError, match=r"model-a cannot be packed: .*cache") as caught:
        archives.store(client, read(folder), tmp_path / "cache")
    assert "packed below" in caught.value.hint
