"""`parkade objects`: listing, copying in all directions, removing."""

import io
import json
import os
import subprocess
import sys

import pytest

from tests.apps.cli.desk import desk as open_desk

SECOND = "2026-03-01 12:00:00 UTC"


@pytest.fixture
def stocked(desk):
    for key in ("a/1.csv", "a/b/2.csv", "model.tar.gz"):
        desk.world.objects.keep("models", key, key.encode())
    return desk


def there(desk, bucket="models"):
    return {
        info.key: desk.world.objects.open(bucket, info.key).read()
        for info in desk.world.objects.ls(bucket)
    }


# -- ls -----------------------------------------------------------------------------------


def test_without_an_address_the_buckets_are_listed(stocked):
    stocked.world.objects.make_bucket("empty-one")
    lines = [line.split() for line in stocked.ok("objects", "ls").splitlines()]
    assert lines[2][0] == "s3://empty-one"
    assert lines[3] == ["s3://models", *SECOND.split()]
    assert stocked.json("objects", "ls")[1]["name"] == "models"


def test_where_nothing_is_the_way_to_the_first_object_is_told(desk):
    assert "parkade objects cp" in desk.run("objects", "ls").stderr


def test_a_bucket_is_listed_folder_by_folder(stocked):
    result = stocked.run("objects", "ls", "s3://models")
    rows = [line.split() for line in result.stdout.splitlines()[2:]]
    assert rows == [["folder", "a/"], ["12", "bytes", *SECOND.split(), "model.tar.gz"]]
    assert result.stderr.strip() == "1 object, 12 bytes and 1 folder"
    listed = stocked.json("objects", "ls", "s3://models/a/")
    assert [each["key"] for each in listed["objects"]] == ["a/1.csv"]
    assert listed["prefixes"] == ["a/b/"]


def test_recursively_every_object_is_listed(stocked):
    keys = [each["key"] for each in stocked.json("objects", "ls", "s3://models", "-r")["objects"]]
    assert keys == ["a/1.csv", "a/b/2.csv", "model.tar.gz"]


def test_a_list_of_thousands_has_them_all(desk):
    for number in range(2345):
        desk.world.objects.keep("models", f"{number:05}", b"")
    result = desk.run("objects", "ls", "s3://models", "--recursive")
    assert len(result.stdout.splitlines()) == 2 + 2345
    assert "2,345 objects" in result.stderr


def test_a_bucket_that_is_not_there_is_told_from_one_without_such_keys(stocked):
    assert "did you mean 'models'?" in stocked.error("objects", "ls", "s3://modles")
    assert "Nothing begins with" in stocked.run("objects", "ls", "s3://models/zz").stderr


# -- cp -----------------------------------------------------------------------------------


def test_a_file_is_copied_to_an_object_and_back(desk, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_bytes(b"1,2\n" * 1000)
    out = desk.ok("objects", "cp", str(file), "s3://models/data/")
    assert out.strip() == "s3://models/data/rows.csv: 4.0 kB"
    assert desk.world.objects.stat("models", "data/rows.csv").headers == {
        "content-type": "text/csv"
    }
    back = tmp_path / "back"
    desk.ok("objects", "cp", "s3://models/data/rows.csv", str(back))
    assert back.read_bytes() == file.read_bytes()
    desk.ok("objects", "cp", "s3://models/data/rows.csv", str(tmp_path / "new" / "deep" / "x"))
    assert (tmp_path / "new" / "deep" / "x").read_bytes() == file.read_bytes()


def test_a_name_is_kept_in_a_folder_and_given_up_for_another(desk, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("a")
    for target, key in (("s3://b-1", "a.txt"), ("s3://b-1/", "a.txt"), ("s3://b-1/x", "x")):
        desk.ok("objects", "cp", str(file), target)
        assert key in there(desk, "b-1")
    (tmp_path / "folder").mkdir()
    desk.ok("objects", "cp", "s3://b-1/x", str(tmp_path / "folder"))
    assert (tmp_path / "folder" / "x").read_text() == "a"
    desk.ok("objects", "cp", "s3://b-1/x", "s3://c-2/y/")
    assert list(there(desk, "c-2")) == ["y/x"]


def test_a_folder_is_copied_with_all_that_is_in_it(desk, tmp_path):
    source = tmp_path / "source"
    (source / "ü x" / "deep").mkdir(parents=True)
    (source / "1").write_text("1")
    (source / "ü x" / "deep" / "2").write_text("22")
    out = desk.ok("objects", "cp", str(source), "s3://models/p", "--recursive")
    assert out.strip() == "s3://models/p: 2 files, 3 bytes"
    assert there(desk) == {"p/1": b"1", "p/ü x/deep/2": b"22"}
    desk.ok("objects", "cp", "s3://models/p", "s3://other", "-r")
    assert there(desk, "other") == {"1": b"1", "ü x/deep/2": b"22"}
    desk.ok("objects", "cp", "s3://other", str(tmp_path / "back"), "-r")
    assert (tmp_path / "back" / "ü x" / "deep" / "2").read_text() == "22"


def test_standard_input_and_output_are_files_too(desk):
    desk.ok("objects", "cp", "-", "s3://models/piped", stdin="some text")
    assert there(desk) == {"piped": b"some text"}
    result = desk.run("objects", "cp", "s3://models/piped", "-")
    assert result.stdout_bytes == b"some text"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("cp", "a", "b"), "neither side is an s3:// address"),
        (("cp", "/nowhere", "s3://models/"), "cannot be read"),
        (("cp", ".", "s3://models/"), "--recursive"),
        (("cp", "-", "s3://models/"), "has no key"),
        (("cp", "-", "s3://models/", "-r"), "leave --recursive out"),
        (("cp", "s3://models/a/", "x"), "copy it with --recursive"),
        (("cp", "s3://models/a", "x"), "several keys begin so"),
        (("cp", "s3://models/none", "x"), "there is no object s3://models/none"),
        (("cp", "s3://models/none", "x", "-r"), "there is nothing below"),
        (("cp", "s3://No/x", "x"), "not a valid bucket name"),
        (("cp", "s3://models/model.tar.gz", "s3://models/../x"), "unusable key"),
        (("cp", "s3://models/model.tar.gz", "/dev/null/x"), "cannot be written"),
        (("rm", "s3://models/none"), "there is no object"),
        (("rm", "s3://models/none", "-r"), "there is nothing below"),
        (("rm", "s3://models"), "not an s3:// address"),
        (("rm", "s3://modles", "-r"), "did you mean 'models'?"),
        (("ls", "models"), "not an s3:// address"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(stocked, words, told):
    assert told in stocked.error("objects", *words)
    assert len(there(stocked)) == 3


def test_an_object_over_the_limit_is_refused(tmp_path):
    file = tmp_path / "big"
    file.write_bytes(bytes(2000))
    with open_desk(tmp_path, object_bytes=1000) as desk:
        for source, stdin in ((str(file), None), ("-", bytes(2000))):
            line = desk.error("objects", "cp", source, "s3://models/big", stdin=stdin)
            assert "limits.object_bytes" in line
        assert there(desk) == {}


class Cut(io.BytesIO):
    """A file that cannot be read to its end."""

    def read(self, size=-1):
        if self.tell():
            raise OSError("the disk is gone")
        return super().read(min(size, 1000))


def test_a_download_that_breaks_off_leaves_the_file_that_was_there(stocked, tmp_path, monkeypatch):
    target = tmp_path / "there"
    target.write_text("old")
    objects = stocked.world.objects
    info = objects.keep("models", "big", bytes(3_000_000))
    with monkeypatch.context() as patch:
        patch.setattr(objects, "fetch", lambda *_: (info, Cut(bytes(3_000_000))))
        line = stocked.error("objects", "cp", "s3://models/big", str(target))
        assert "broke off" in line
    with monkeypatch.context() as patch:
        patch.setattr(objects, "fetch", lambda *_: (info, io.BytesIO(b"1" * 3_000_000)))
        line = stocked.error("objects", "cp", "s3://models/big", str(target))
        assert "changed on its way" in line
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["there"]


def test_a_reader_of_the_output_that_goes_away_ends_it_quietly(stocked):
    stocked.world.objects.keep("models", "big", b"line\n" * 2_000_000)
    command = [
        sys.executable,
        "-m",
        "parkade.apps.cli",
        "objects",
        "cp",
        "s3://models/big",
        "-",
    ]
    with subprocess.Popen(
        command,
        env={**os.environ, **stocked.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"line\n"
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        process.wait(60)


# -- rm -----------------------------------------------------------------------------------


def test_an_object_a_folder_and_a_bucket_are_removed(stocked):
    assert (
        stocked.ok("objects", "rm", "s3://models/model.tar.gz").strip()
        == "s3://models/model.tar.gz: removed"
    )
    assert list(there(stocked)) == ["a/1.csv", "a/b/2.csv"]
    out = stocked.ok("objects", "rm", "s3://models/a/b", "--recursive")
    assert out.strip() == "s3://models/a/b: 1 object removed, 9 bytes"
    stocked.ok("objects", "rm", "s3://models", "-r")
    assert stocked.world.objects.buckets() == []


def test_a_folder_is_no_beginning_of_a_name(desk):
    for key in ("a/1", "ab/1"):
        desk.world.objects.keep("models", key, b"x")
    desk.ok("objects", "rm", "s3://models/a", "-r")
    assert list(there(desk)) == ["ab/1"]


def test_who_may_not_write_is_told(tmp_path):
    with open_desk(tmp_path, by="operator") as desk:
        desk.world.objects.keep("models", "key", b"x")
        assert "admin" in desk.error("objects", "rm", "s3://models/key")
        assert json.loads(desk.ok("objects", "ls", "--json"))
