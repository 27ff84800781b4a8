import asyncio
import io

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.objects import MemoryObjects
from parkade.domain.errors import BadArchive, ObjectNotFound
from parkade.runtime.modeldata import ModelData
from tests.builders import NOW
from tests.runtime.premises import an_archive, until

URL = "s3://models/a.tar.gz"
LIMIT = 10**6


@pytest.fixture
def objects():
    return MemoryObjects(ManualClock(NOW))


@pytest.fixture
def data(objects, tmp_path):
    return ModelData(objects, tmp_path / "models")


def folders(data):
    return sorted(data._folder.iterdir())


def test_the_same_content_is_unpacked_once_and_goes_with_its_last_user(objects, data):
    async def story():
        info = objects.keep("models", "a.tar.gz", an_archive(weights="1"))
        objects.keep("models", "b.tar.gz", an_archive(weights="1"))
        first, second, third = await asyncio.gather(
            data.fetch(URL, "falcon", limit=LIMIT),
            data.fetch(URL, "falcon", limit=LIMIT),
            data.fetch("s3://models/b.tar.gz", "flan", limit=LIMIT),
        )
        assert first == second == third
        assert first.name == info.etag
        assert (first / "weights").read_text() == "1"
        await data.release("falcon")
        assert folders(data) == [first]
        await data.release("flan")
        assert folders(data) == []

    asyncio.run(story())


def test_code_of_its_own_takes_the_place_of_what_the_data_brings(objects, data):
    async def story():
        objects.keep("models", "a.tar.gz", an_archive(**{"weights": "1", "code/old.py": ""}))
        objects.keep("models", "code.tar.gz", an_archive(**{"new.py": "first"}))
        code = "s3://models/code.tar.gz"
        plain = await data.fetch(URL, "falcon", limit=LIMIT)
        first = await data.fetch(URL, "flan", limit=LIMIT, code_url=code)
        assert first.name == data.digest(URL, code)
        assert [path.name for path in (plain / "code").iterdir()] == ["old.py"]
        assert [path.name for path in (first / "code").iterdir()] == ["new.py"]
        assert (first / "weights").read_text() == "1"
        objects.keep("models", "code.tar.gz", an_archive(**{"new.py": "second"}))
        second = await data.fetch(URL, "flan", limit=LIMIT, code_url=code)
        assert (second / "code" / "new.py").read_text() == "second"
        alone = await data.fetch("", "flan", limit=LIMIT, code_url=code)
        assert [str(path.relative_to(alone)) for path in alone.rglob("*.py")] == ["code/new.py"]
        await data.release("flan")
        assert folders(data) == [plain]

    asyncio.run(story())


def test_code_that_cannot_be_read_is_told_by_its_address(objects, data):
    async def story():
        objects.keep("models", "a.tar.gz", an_archive(weights="1"))
        objects.keep("models", "code.tar.gz", b"nothing packed")
        with pytest.raises(BadArchive, match=r"^s3://models/code.tar.gz is broken"):
            await data.fetch(URL, "falcon", limit=LIMIT, code_url="s3://models/code.tar.gz")
        with pytest.raises(ObjectNotFound):
            await data.fetch(URL, "falcon", limit=LIMIT, code_url="s3://models/none.tar.gz")
        assert folders(data) == []

    asyncio.run(story())


def test_a_model_without_data_gets_an_empty_folder(data):
    async def story():
        folder = await data.fetch("", "falcon", limit=LIMIT)
        assert list(folder.iterdir()) == []
        await data.release("falcon")
        assert folders(data) == []

    asyncio.run(story())


def test_a_bad_archive_leaves_nothing_behind(objects, data):
    async def story():
        objects.keep("models", "a.tar.gz", an_archive(weights="1")[:-10])
        with pytest.raises(BadArchive):
            await data.fetch(URL, "falcon", limit=LIMIT)
        assert folders(data) == []
        with pytest.raises(ObjectNotFound):
            await data.fetch("s3://models/absent.tar.gz", "falcon", limit=LIMIT)

    asyncio.run(story())


def test_data_that_is_replaced_meanwhile_is_named_by_what_was_read(objects, data, monkeypatch):
    async def story():
        objects.keep("models", "a.tar.gz", an_archive(weights="old"))
        old = data.digest(URL)
        new = objects.keep("models", "a.tar.gz", an_archive(weights="new")).etag
        monkeypatch.setattr(data, "digest", lambda *_: old)
        folder = await data.fetch(URL, "falcon", limit=LIMIT)
        assert folder.name == new
        await data.release("falcon")
        assert folders(data) == []

    asyncio.run(story())


def test_tidying_removes_what_nobody_holds(objects, data):
    async def story():
        objects.keep("models", "a.tar.gz", an_archive(weights="1"))
        kept = await data.fetch(URL, "falcon", limit=LIMIT)
        (data._folder / "orphan" / "code").mkdir(parents=True)
        (data._folder / ".half-done").mkdir()
        await data.tidy()
        assert folders(data) == [kept]

    asyncio.run(story())


def test_cancelling_ends_the_unpacking_and_leaves_nothing_behind(objects, data, monkeypatch):
    class Endless:
        """An object that never ends, as one larger than anybody waits for."""

        def __init__(self):
            self.reads = 0
            self._beginning = io.BytesIO(an_archive(weights="1"))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def read(self, size):
            self.reads += 1
            return self._beginning.read(size) or b"\0" * size

    async def story():
        objects.keep("models", "a.tar.gz", b"")
        endless = Endless()
        monkeypatch.setattr(objects, "open", lambda *_: endless)
        fetching = asyncio.create_task(data.fetch(URL, "falcon", limit=10**15))
        await until(lambda: endless.reads > 100)
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        reads = endless.reads
        await data.release("falcon")
        assert folders(data) == []
        assert endless.reads == reads

    asyncio.run(story())
