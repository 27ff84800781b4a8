"""A folder as people and crashes leave it."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from parkade.adapters.folder.errors import writing
from parkade.adapters.folder.objects import FolderObjects
from parkade.domain.errors import (
    BucketNotFound,
    Conflict,
    InUse,
    InvalidInput,
    ObjectNotFound,
    ResourceLimitExceeded,
    Unavailable,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path):
    return tmp_path / "objects"


@pytest.fixture
def objects(root):
    return FolderObjects(root)


def put(objects, key, content=b"content"):
    with objects.writer("models", key) as writer:
        writer.write(content)
        return writer.commit()


def keys(objects, prefix=""):
    return [info.key for info in objects.ls("models", prefix)]


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_an_object_is_a_plain_file(objects, root):
    put(objects, "a/b.txt", b"hello")
    assert (root / "models" / "a" / "b.txt").read_bytes() == b"hello"


def test_a_file_put_in_by_hand_is_an_object(objects, root):
    (root / "models" / "mine").mkdir(parents=True)
    (root / "models" / "mine" / "model.tar.gz").write_bytes(b"by hand")
    info = objects.stat("models", "mine/model.tar.gz")
    assert (info.size, info.etag) == (7, sha256(b"by hand"))
    assert objects.ls("models") == [info]
    with objects.open("models", "mine/model.tar.gz") as file:
        assert file.read() == b"by hand"


def test_a_file_changed_by_hand_gets_an_etag_of_its_own(objects, root):
    put(objects, "key", b"before")
    path = root / "models" / "key"
    path.write_bytes(b"after!")
    os.utime(path, ns=(0, 0))
    assert objects.stat("models", "key").etag == sha256(b"after!")


def test_an_etag_is_computed_once(objects, root):
    (root / "models").mkdir()
    path = root / "models" / "key"
    path.write_bytes(b"content")
    known = objects.stat("models", "key")
    status = path.stat()
    with path.open("r+b") as file:
        file.write(b"changed")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert objects.stat("models", "key") == known  # nothing tells that it was changed


@pytest.mark.parametrize("content", ["", "{", "[]", '{"seen": 1}'])
def test_a_broken_or_missing_memory_of_etags_is_made_again(objects, root, content):
    put(objects, "key")
    (memory,) = (root / ".meta" / "models").iterdir()
    memory.write_text(content)
    assert objects.stat("models", "key").etag == sha256(b"content")
    memory.unlink()
    assert objects.stat("models", "key").etag == sha256(b"content")


def test_what_is_its_own_is_no_bucket_and_no_object(objects, root):
    put(objects, "key")
    assert keys(objects) == ["key"]
    for bucket in (".meta", ".incoming"):
        with pytest.raises(InvalidInput):
            objects.ls(bucket)
        with pytest.raises(InvalidInput):
            objects.open(bucket, "key")


@pytest.mark.parametrize(("there", "new"), [("a", "a/b"), ("a", "a/b/c"), ("a/b", "a")])
def test_keys_that_exclude_each_other_are_a_conflict(objects, there, new):
    put(objects, there)
    with pytest.raises(Conflict, match="s3://models/a") as error, objects.writer("models", new):
        pytest.fail("it was taken")
    assert error.value.hint
    assert keys(objects) == [there]


@pytest.mark.parametrize(("there", "new"), [("a", "a/b"), ("a/b", "a")])
def test_a_conflict_that_comes_up_while_writing_is_told_at_the_commit(objects, root, there, new):
    with objects.writer("models", new) as writer:
        writer.write(b"new")
        put(objects, there)
        with pytest.raises(Conflict):
            writer.commit()
    assert keys(objects) == [there]
    assert not list((root / ".incoming").iterdir())


def test_a_key_is_free_again_after_its_folder_was_emptied(objects, root):
    put(objects, "a/b/c")
    objects.delete("models", "a/b/c")
    assert not list((root / "models").iterdir())
    put(objects, "a", b"now a file")
    assert keys(objects) == ["a"]


def test_empty_folders_that_a_crash_left_are_not_in_the_way(objects, root):
    (root / "models" / "a" / "b").mkdir(parents=True)
    put(objects, "a", b"now a file")
    assert keys(objects) == ["a"]


def test_a_delete_leaves_the_folders_of_other_objects(objects):
    put(objects, "a/b")
    put(objects, "a/c")
    objects.delete("models", "a/b")
    assert keys(objects) == ["a/c"]


def test_deleting_a_folder_of_objects_deletes_nothing(objects):
    put(objects, "a/b")
    objects.delete("models", "a")
    assert keys(objects) == ["a/b"]


def test_a_link_out_of_the_root_leads_nowhere(objects, root, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "models").mkdir()
    (root / "models" / "file").symlink_to(tmp_path / "secret")
    (root / "models" / "folder").symlink_to(tmp_path)
    (root / "other").symlink_to(tmp_path)
    for bucket, key in (("models", "file"), ("models", "folder/secret"), ("other", "secret")):
        with pytest.raises(ObjectNotFound):
            objects.open(bucket, key)
        with pytest.raises(ObjectNotFound):
            objects.stat(bucket, key)
        with pytest.raises(Conflict, match="symbolic link"), objects.writer(bucket, key):
            pytest.fail("it was taken")
        objects.delete(bucket, key)
    assert keys(objects) == []
    assert objects.ls("other") == []
    assert (tmp_path / "secret").read_bytes() == b"secret"
    assert (root / "models" / "file").is_symlink()


def test_the_root_itself_may_be_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    objects = FolderObjects(tmp_path / "link")
    put(objects, "a/b")
    assert keys(objects) == ["a/b"]
    objects.delete("models", "a/b")


def test_what_is_no_regular_file_is_no_object_and_holds_nobody_up(objects, root):
    (root / "models").mkdir()
    os.mkfifo(root / "models" / "pipe")
    with pytest.raises(ObjectNotFound):
        objects.open("models", "pipe")
    assert keys(objects) == []


def test_a_file_whose_name_can_be_no_key_is_no_object(objects, root):
    put(objects, "key")
    (root / "models" / ("x" * 200)).mkdir()
    folder = root / "models"
    for _ in range(6):
        folder = folder / ("x" * 200)
        folder.mkdir(exist_ok=True)
    (folder / "deep").write_bytes(b"its key would have more than 1024 bytes")
    assert keys(objects) == ["key"]


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are always UTF-8")
def test_a_file_whose_name_is_no_text_is_no_object(objects, root):
    put(objects, "key")
    Path(os.fsdecode(os.fsencode(root / "models") + b"/\xff")).write_bytes(b"")
    assert keys(objects) == ["key"]


def test_a_key_of_any_characters_comes_back(objects):
    wild = ["ü ✓", "a b/c d", "-", "...", "a/.hidden", "%2e%2e", "a:b\\c", "x" * 255]
    for key in wild:
        put(objects, key, key.encode())
    assert keys(objects) == sorted(wild)
    for key in wild:
        with objects.open("models", key) as file:
            assert file.read() == key.encode()


@pytest.mark.parametrize("key", ["x" * 256, "a/" + "x" * 300 + "/b"])
def test_a_part_too_long_for_a_file_name_is_told(objects, key):
    with pytest.raises(InvalidInput, match="too long"), objects.writer("models", key):
        pytest.fail("it was taken")
    with pytest.raises(InvalidInput, match="too long"):
        objects.stat("models", key)


def test_a_path_too_long_for_the_file_system_is_told(objects):
    objects._root = objects._root.joinpath(*["y" * 200] * 16)
    key = "/".join(["x" * 200] * 5)
    with pytest.raises(InvalidInput, match="too long"), objects.writer("models", key):
        pytest.fail("it was taken")


def test_a_key_that_ends_in_a_slash_is_told(objects):
    with pytest.raises(InvalidInput, match="slash"), objects.writer("models", "a/"):
        pytest.fail("it was taken")


def test_a_killed_writer_leaves_nothing_but_what_the_next_start_removes(root):
    code = (
        "import sys; from pathlib import Path\n"
        "from parkade.adapters.folder.objects import FolderObjects\n"
        f"with FolderObjects(Path({str(root)!r})).writer('models', 'key') as writer:\n"
        "    writer.write(b'half')\n"
        "    print('half', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"half\n"
        living = FolderObjects(root)
        assert len(list((root / ".incoming").iterdir())) == 1  # it is still being written
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert living.ls("models") == []
    assert len(list((root / ".incoming").iterdir())) == 1
    again = FolderObjects(root)
    assert not list((root / ".incoming").iterdir())
    put(again, "key")


def test_a_disk_that_is_full_is_told_and_leaves_nothing_behind(root):
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from parkade.adapters.folder.objects import FolderObjects\n"
        "from parkade.domain.errors import ParkadeError\n"
        f"objects = FolderObjects(Path({str(root)!r}))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    with objects.writer('models', 'key') as writer:\n"
        "        writer.write(b'x' * 10_000)\n"
        "except ParkadeError as error:\n"
        "    print(type(error).__name__, error.message)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert told.startswith("ResourceLimitExceeded")
    assert not list((root / ".incoming").iterdir())


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, ResourceLimitExceeded),
        (errno.EDQUOT, ResourceLimitExceeded),
        (errno.EFBIG, ResourceLimitExceeded),
        (errno.ENAMETOOLONG, InvalidInput),
        (errno.EACCES, Unavailable),
        (errno.EIO, Unavailable),
    ],
)
def test_what_goes_wrong_is_told_in_our_words(number, kind):
    def fail():
        with writing("s3://models/key"):
            raise OSError(number, os.strerror(number))

    with pytest.raises(kind, match="s3://models/key") as error:
        fail()
    assert error.value.hint


def record(root):
    (path,) = (root / ".meta" / "models").iterdir()
    return path


@pytest.mark.parametrize("taken", [True, False])
def test_a_crash_between_record_and_file_loses_neither_objects_headers(objects, root, taken):
    with objects.writer("models", "key", {"content-type": "text/old"}) as writer:
        writer.commit()
    with objects.writer("models", "key", {"content-type": "text/new"}) as writer:
        writer.write(b"new")
        real = Path.replace

        def crash(self, target):
            if target == root / "models" / "key":
                if taken:
                    real(self, target)
                raise KeyboardInterrupt
            return real(self, target)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "replace", crash)
            with pytest.raises(KeyboardInterrupt):
                writer.commit()
    seen = FolderObjects(root).stat("models", "key")
    assert seen.headers == {"content-type": "text/new" if taken else "text/old"}


def test_of_many_writers_each_ones_headers_stay_with_its_bytes(objects):
    def work(number):
        with objects.writer("models", "key", {"x-amz-meta-number": str(number)}) as writer:
            writer.write(str(number).encode())
            writer.commit()
        info, file = objects.fetch("models", "key")
        with file:
            assert info.headers["x-amz-meta-number"].encode() == file.read()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(100)))


def test_what_was_replaced_twice_while_it_was_looked_at_is_looked_at_again(objects, monkeypatch):
    def put_number(number):
        with objects.writer("models", "key", {"x-amz-meta-number": str(number)}) as writer:
            writer.write(str(number).encode())
            writer.commit()

    looks = []
    of = objects._records.of

    def look(place, file):
        looks.append(place)
        if len(looks) == 1:
            put_number(1)
            put_number(2)  # the record of number 0 goes with this one
        return of(place, file)

    put_number(0)
    monkeypatch.setattr(objects._records, "of", look)
    info, file = objects.fetch("models", "key")
    with file:
        assert (info.headers["x-amz-meta-number"], file.read()) == ("2", b"2")


def test_a_record_holds_one_object_at_rest(objects, root):
    for number in range(3):
        put(objects, "key", str(number).encode())
    assert len(json.loads(record(root).read_text())["known"]) <= 2


def test_a_removed_bucket_leaves_nothing_behind(objects, root):
    put(objects, "a/b")
    objects.delete("models", "a/b")
    (root / "models" / "left" / "empty").mkdir(parents=True)
    objects.remove_bucket("models")
    assert [path.name for path in root.iterdir() if path.name == "models"] == []
    assert not (root / ".meta" / "models").exists()


def test_a_link_or_a_file_is_no_bucket_and_makes_one_not_empty(objects, root, tmp_path):
    (tmp_path / "outside").mkdir()
    (root / "linked").symlink_to(tmp_path / "outside")
    (root / "a-file").write_text("x")
    put(objects, "key")
    assert [bucket.name for bucket in objects.buckets()] == ["models"]
    for name in ("linked", "a-file"):
        with pytest.raises(Conflict):
            objects.make_bucket(name)
        with pytest.raises(BucketNotFound):
            objects.remove_bucket(name)
    objects.delete("models", "key")
    (root / "models" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(InUse):
        objects.remove_bucket("models")


def test_a_prefix_that_climbs_or_leads_through_a_link_lists_nothing(objects, root, tmp_path):
    put(objects, "a/b")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("x")
    (root / "models" / "out").symlink_to(tmp_path / "outside")
    for prefix in ("../", "../../", "/", "a//", "./a/", "out/", "a/b/", "a\0/", "\ud800/"):
        assert objects.ls("models", prefix) == []
        assert objects.page("models", prefix, limit=9).objects == []
