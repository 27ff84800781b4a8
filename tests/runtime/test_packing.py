"""Packing model folders."""

import gzip
import hashlib
import os
import tarfile

import pytest

from parkade.domain.errors import InvalidInput
from parkade.runtime.packing import digest, pack

FILES = (
    "code/inference.py",
    "code/helper.py",
    "code/__pycache__/helper.cpython-311.pyc",
    "model.joblib",
    "weights/data/part-1.bin",
    "train.py",
    "data/sentences.csv",
    "test/input_data.json",
    ".git/config",
    "notes.md",
)


@pytest.fixture
def folder(tmp_path):
    return a_folder(tmp_path / "model")


def a_folder(path, files=FILES):
    for name in files:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"content of {name}")
    return path


def names(path):
    with tarfile.open(path) as archive:
        return archive.getnames()


def test_what_serving_needs_is_packed_and_nothing_else(folder, tmp_path):
    packed = pack(folder, tmp_path / "model.tar.gz")
    wanted = [
        "code/helper.py",
        "code/inference.py",
        "model.joblib",
        "notes.md",
        "weights/data/part-1.bin",
    ]
    assert names(packed.path) == wanted
    assert packed.members == tuple(wanted)
    assert packed.size == packed.path.stat().st_size


def test_the_content_comes_out_as_it_went_in(folder, tmp_path):
    (folder / "model.joblib").write_bytes(bytes(range(256)) * 1000)
    (folder / "code" / "helper.py").chmod(0o700)
    packed = pack(folder, tmp_path / "model.tar.gz")
    with tarfile.open(packed.path) as archive:
        assert archive.extractfile("model.joblib").read() == bytes(range(256)) * 1000
        assert archive.getmember("code/helper.py").mode & 0o100
        assert not archive.getmember("code/inference.py").mode & 0o100


def test_the_same_folder_gives_the_same_bytes(folder, tmp_path):
    one = pack(folder, tmp_path / "one.tar.gz")
    twin = a_folder(tmp_path / "twin", reversed(FILES))
    for path in twin.rglob("*"):
        os.utime(path, (1, 1))
    two = pack(twin, tmp_path / "two.tar.gz")
    assert one.path.read_bytes() == two.path.read_bytes()


def test_packing_into_the_folder_itself_leaves_the_archive_out(folder):
    out = folder / "model.tar.gz"
    first = pack(folder, out)
    content = out.read_bytes()
    again = pack(folder, out)
    assert again.members == first.members
    assert out.read_bytes() == content


def test_the_folder_decides_what_else_stays_out_and_what_comes_back(folder, tmp_path):
    (folder / ".parkadeignore").write_text("# ours\n*.md\n/weights/data\n\n!/data\n!train.py\n")
    assert names(pack(folder, tmp_path / "model.tar.gz").path) == [
        "code/helper.py",
        "code/inference.py",
        "data/sentences.csv",
        "model.joblib",
        "train.py",
    ]


def test_what_stays_out_has_to_be_text(folder, tmp_path):
    (folder / ".parkadeignore").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="is not UTF-8 text"):
        pack(folder, tmp_path / "model.tar.gz")


def test_a_linked_file_is_packed_as_the_file_itself(folder, tmp_path):
    (tmp_path / "blob").write_text("weights")
    (folder / "weights.bin").symlink_to(tmp_path / "blob")
    packed = pack(folder, tmp_path / "model.tar.gz")
    with tarfile.open(packed.path) as archive:
        member = archive.getmember("weights.bin")
        assert member.isfile()
        assert archive.extractfile(member).read() == b"weights"


@pytest.mark.parametrize("target", ["/nowhere/at/all", "code"])
def test_links_to_nothing_and_to_folders_are_refused_by_name(folder, tmp_path, target):
    (folder / "odd").symlink_to(target)
    with pytest.raises(InvalidInput, match="odd is neither a file nor a folder"):
        pack(folder, tmp_path / "model.tar.gz")
    assert not (tmp_path / "model.tar.gz").exists()


def test_a_folder_without_a_script_is_refused(tmp_path):
    folder = a_folder(tmp_path / "model", ["model.joblib"])
    with pytest.raises(InvalidInput, match=r"has no code/inference\.py"):
        pack(folder, tmp_path / "model.tar.gz")


def test_a_place_that_is_not_there_is_refused(folder, tmp_path):
    with pytest.raises(InvalidInput, match="is not a folder"):
        pack(folder, tmp_path / "nowhere" / "model.tar.gz")


def test_nothing_half_written_is_left_when_packing_fails(folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.tar.gz").mkdir()
    with pytest.raises(IsADirectoryError):
        pack(folder, tmp_path / "out" / "model.tar.gz")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.tar.gz"]


def test_the_digest_is_that_of_what_is_packed_without_packing_it(folder, tmp_path):
    packed = pack(folder, tmp_path / "model.tar.gz")
    with gzip.open(packed.path) as content:
        told = hashlib.sha256(content.read()).hexdigest()
    assert packed.digest == digest(folder) == told
    assert digest(a_folder(tmp_path / "twin", reversed(FILES))) == told


@pytest.mark.parametrize("change", ["content", "name", "mode", "more"])
def test_another_content_has_another_digest(folder, change):
    before = digest(folder)
    helper = folder / "code" / "helper.py"
    match change:
        case "content":
            helper.write_text("content of code/helpEr.py")
        case "name":
            helper.rename(helper.with_name("other.py"))
        case "mode":
            helper.chmod(0o755)
        case "more":
            (folder / "more.txt").touch()
    assert digest(folder) != before


def test_what_is_left_out_changes_no_digest(folder):
    before = digest(folder)
    (folder / "test" / "input_data.json").write_text("[1]")
    assert digest(folder) == before


def test_what_is_no_model_folder_has_no_digest(tmp_path):
    with pytest.raises(InvalidInput, match=r"no code/inference\.py"):
        digest(tmp_path)
