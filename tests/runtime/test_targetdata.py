"""Target models on disk."""

import asyncio
import errno

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.objects import MemoryObjects
from parkade.domain.errors import BadArchive, ObjectNotFound
from parkade.runtime.targetdata import TargetData
from tests.builders import NOW
from tests.runtime.many import packed


class Store:
    def __init__(self, folder):
        self.folder = folder
        self.objects = MemoryObjects(ManualClock(NOW))
        self.used = set()
        self.again()

    def again(self):
        self.data = TargetData(self.objects, self.folder, limit=lambda: 10**6, loads=2)

    def put(self, key, content):
        with self.objects.writer("models", key) as writer:
            writer.write(content)
            writer.commit()

    async def fetch(self, key):
        async with self.data.fetched(f"s3://models/{key}", lambda name: name in self.used) as it:
            return it

    def on_disk(self):
        return {kind: len([*(self.folder / kind).iterdir()]) for kind in ("data", "names")}


def run(folder, test):
    asyncio.run(test(Store(folder / "targets")))


def test_the_same_content_is_on_disk_once(tmp_path):
    async def test(store):
        for key in ("a", "b"):
            store.put(key, packed("same"))
        one, other = await asyncio.gather(store.fetch("a"), store.fetch("b"))
        assert one.name != other.name
        assert (one.folder / "what").read_text() == "same"
        assert store.on_disk() == {"data": 1, "names": 2}
        await store.data.forget(one.name)
        assert (other.folder / "what").read_text() == "same"
        await store.data.forget(other.name)
        assert store.on_disk() == {"data": 0, "names": 0}

    run(tmp_path, test)


def test_what_is_fetched_while_it_is_forgotten_is_there(tmp_path):
    async def test(store):
        store.put("a", packed("same"))
        for _ in range(50):
            one = await store.fetch("a")
            _, again, other = await asyncio.gather(
                store.data.forget(one.name), store.fetch("a"), store.fetch("a")
            )
            assert again == other
            assert (again.folder / "what").read_text() == "same"
            assert store.on_disk() == {"data": 1, "names": 1}

    run(tmp_path, test)


def test_another_content_has_another_name_beside_the_former(tmp_path):
    async def test(store):
        store.put("a", packed("former"))
        former = await store.fetch("a")
        store.put("a", packed("present"))
        present = await store.fetch("a")
        assert former.name != present.name
        assert [(each.folder / "what").read_text() for each in (former, present)] == [
            "former",
            "present",
        ]

    run(tmp_path, test)


def test_what_is_there_is_known_again(tmp_path):
    async def test(store):
        store.put("a", packed("text"))
        stored = await store.fetch("a")
        (store.folder / "names" / ".half").mkdir()
        (store.folder / "names" / "bad").mkdir()
        (store.folder / "data" / ".half").mkdir()
        (store.folder / "data" / "nobody").mkdir()
        store.again()
        await store.data.recall()
        assert store.data.all() == (stored,)
        assert store.data.known(stored.name) == stored
        assert store.on_disk() == {"data": 1, "names": 1}

    run(tmp_path, test)


def test_a_name_whose_data_is_gone_is_forgotten(tmp_path):
    async def test(store):
        store.put("a", packed("text"))
        stored = await store.fetch("a")
        for folder in (store.folder / "data").iterdir():
            folder.rename(tmp_path / "elsewhere")
        store.again()
        await store.data.recall()
        assert store.data.all() == ()
        assert (await store.fetch("a")).name == stored.name

    run(tmp_path, test)


def test_what_is_about_to_be_loaded_is_not_removed(tmp_path):
    async def test(store):
        store.put("a", packed("text"))
        async with store.data.fetched("s3://models/a", lambda _: False) as stored:
            await store.data.forget(stored.name)
            assert (stored.folder / "what").read_text() == "text"
        await store.data.forget(stored.name)
        assert store.data.all() == ()

    run(tmp_path, test)


@pytest.mark.semantics("multi.disk")
def test_a_full_disk_costs_what_is_loaded_nowhere(tmp_path, monkeypatch):
    async def test(store):
        for key in "abc":
            store.put(key, packed(key))
        kept, _ = await store.fetch("a"), await store.fetch("b")
        store.used.add(kept.name)
        full = iter([OSError(errno.ENOSPC, "No space left on device")])
        unpack = store.data._data.fetch

        async def once(*arguments, **options):
            for error in full:
                raise error
            return await unpack(*arguments, **options)

        monkeypatch.setattr(store.data._data, "fetch", once)
        fresh = await store.fetch("c")
        assert store.data.all() == (kept, fresh)

    run(tmp_path, test)


def test_what_cannot_be_fetched_leaves_nothing(tmp_path):
    async def test(store):
        store.put("a", b"no archive")
        with pytest.raises(BadArchive):
            await store.fetch("a")
        with pytest.raises(ObjectNotFound):
            await store.fetch("b")
        assert store.data.all() == ()
        assert [*(store.folder / "data").iterdir()] == []

    run(tmp_path, test)
