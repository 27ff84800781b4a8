"""Archives as they should be, and every way in which they should not."""

import gzip
import hashlib
import io
import os
import tarfile
import threading

import pytest

from parkade.domain.errors import BadArchive
from parkade.runtime import archive

LIMIT = 10_000_000


def member(name, kind=tarfile.REGTYPE, content=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def a_file(name, content=b"x", **attributes):
    return member(name, content=content, **attributes)


def a_link(name, target):
    return member(name, tarfile.SYMTYPE, linkname=target)


def a_hard_link(name, target):
    return member(name, tarfile.LNKTYPE, linkname=target)


def a_folder(name):
    return member(name, tarfile.DIRTYPE, mode=0o755)


def tarred(*members, format=tarfile.PAX_FORMAT):  # noqa: A002
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=format) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def zipped(*members, **options):
    return gzip.compress(tarred(*members, **options))


@pytest.fixture
def unpack(tmp_path):
    def unpack(content, limit=LIMIT, **options):
        folder = tmp_path / "outer" / "model"
        digest = archive.unpack(io.BytesIO(content), folder, limit=limit, **options)
        assert digest == hashlib.sha256(content).hexdigest()
        return folder

    (tmp_path / "outside").write_text("untouched")
    yield unpack
    assert (tmp_path / "outside").read_text() == "untouched"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "outer") == ["outside"]


def test_files_folders_and_links_inside_are_unpacked(unpack):
    folder = unpack(
        zipped(
            a_folder("./"),
            a_file("weights.bin", b"w" * 3_000_000),
            a_file("code/deep/inference.py", b"pass"),
            a_file("bin/run", b"#!", mode=0o4777),
            a_link("latest", "weights.bin"),
            a_link("code/up", "../weights.bin"),
            a_link("code/folder", "deep"),
            a_hard_link("same", "weights.bin"),
            a_file("empty", b""),
            a_file("..data", b"dots are fine"),
        )
    )
    assert (folder / "latest").read_bytes() == b"w" * 3_000_000
    assert (folder / "code/up").stat().st_size == (folder / "same").stat().st_size == 3_000_000
    assert (folder / "code/folder/inference.py").read_text() == "pass"
    assert (folder / "bin/run").stat().st_mode & 0o7777 == 0o755
    assert (folder / "empty").read_bytes() == b""
    assert (folder / "..data").exists()


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_common_format_is_read(unpack, format):  # noqa: A002
    name = "long/" * 15 + "name"
    assert (unpack(zipped(a_file(name), format=format)) / name).read_text() == "x"


def test_a_later_member_of_the_same_name_counts(unpack):
    folder = unpack(
        zipped(a_file("a", b"old"), a_link("b", "../../outside"), a_file("a", b"new"), a_file("b"))
    )
    assert (folder / "a").read_text() == "new"
    assert (folder / "b").read_text() == "x"


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("/etc/passwd", [a_file("/etc/passwd")]),
        ("../outside", [a_file("../outside")]),
        ("code/../../outside", [a_file("code/../../outside")]),
        ("code/..", [a_file("code/..")]),
        ("..", [a_folder("..")]),
        ("./", [a_file("./")]),
        ("absolute", [a_link("absolute", "/etc/passwd")]),
        ("climbing", [a_link("climbing", "../../outside")]),
        ("code/climbing", [a_link("code/climbing", "../../../outside")]),
        ("through/outside", [a_link("through", "../.."), a_file("through/outside")]),
        ("through/deep/file", [a_link("through", "."), a_file("through/deep/file")]),
        ("through/new", [a_link("through", "../.."), a_folder("through/new")]),
        # Counted by its text this link stays inside.
        ("x/y/t", [a_folder("x/y"), a_link("x/y/s", "."), a_link("x/y/t", "s/s/s/../../../..")]),
        ("second", [a_link("first", "../.."), a_link("second", "first/outside")]),
        ("nowhere", [a_link("nowhere", "nothing")]),
        ("round", [a_link("round", "round")]),
        ("hard", [a_hard_link("hard", "../../outside")]),
        ("hard", [a_hard_link("hard", "/etc/passwd")]),
        ("hard", [a_hard_link("hard", "not-there-yet"), a_file("not-there-yet")]),
        ("hard", [a_link("soft", "../../outside"), a_hard_link("hard", "soft")]),
        ("hard", [a_link("soft", "../.."), a_hard_link("hard", "soft/outside")]),
        ("device", [member("device", tarfile.CHRTYPE, devmajor=1, devminor=3)]),
        ("disk", [member("disk", tarfile.BLKTYPE, devmajor=8)]),
        ("pipe", [member("pipe", tarfile.FIFOTYPE)]),
        ("code", [a_folder("code"), a_file("code")]),
        ("file/below", [a_file("file"), a_file("file/below")]),
        ("file", [a_file("file"), a_folder("file")]),
        ("n" * 300, [a_file("n" * 300)]),
    ],
)
def test_a_member_that_does_not_belong_is_refused_by_name(unpack, name, members):
    with pytest.raises(BadArchive) as caught:
        unpack(zipped(*members))
    named = {"hard": "'hard", "second": "'first'"}.get(name, repr(name))
    assert named in caught.value.message


def test_data_over_the_limit_is_refused_before_it_is_written(unpack, tmp_path):
    files = [a_file("small", b"x" * 600), a_file("large", b"x" * 500)]
    with pytest.raises(BadArchive, match="more than 1000 bytes, reached at 'large'"):
        unpack(zipped(*files), limit=1000)
    assert not (tmp_path / "outer/model/large").exists()
    assert (tmp_path / "outer/model/small").exists()


def test_a_header_that_unfolds_without_end_is_refused(unpack):
    bomb = a_file("name", pax_headers={"comment": "x" * 8_000_000})
    with pytest.raises(BadArchive, match="a header that is too large"):
        unpack(zipped(bomb))


def test_endless_zeros_after_the_end_are_refused(unpack, monkeypatch):
    monkeypatch.setattr(archive, "MEMBERS_LIMIT", 10)
    with pytest.raises(BadArchive, match="unpacks to more than"):
        unpack(gzip.compress(tarred(a_file("a")) + b"\0" * 2_000_000), limit=1000)


def test_too_many_members_are_refused(unpack, monkeypatch):
    monkeypatch.setattr(archive, "MEMBERS_LIMIT", 3)
    with pytest.raises(BadArchive, match="more than 3 members"):
        unpack(zipped(*(a_file(f"f{n}") for n in range(4))))


NOISE = os.urandom(100_000)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "at its beginning"),
        (b"PK\x03\x04 this is a zip", "broken at its beginning: Not a gzipped file"),
        (tarred(a_file("a")), "broken at its beginning: Not a gzipped file"),
        (gzip.compress(b"hello"), "no readable tar archive at its beginning"),
        (gzip.compress(NOISE), "no readable tar archive at its beginning"),
        (gzip.compress(b""), "no readable tar archive at its beginning"),
        (zipped(a_file("whole"), a_file("cut", NOISE))[:50_000], "broken after member 'whole'"),
        (zipped(a_file("whole"), a_file("cut", NOISE))[:-4], "broken after member 'cut'"),
        (zipped(a_file("a")) + b"garbage", "broken after member 'a'"),
        (zipped(a_file("a"))[:-8] + b"\0" * 8, "broken after member 'a': CRC check failed"),
        (gzip.compress(tarred(a_file("a"), a_file("b", NOISE))[:2000]), "after member 'a'"),
        (
            gzip.compress(tarred(a_file("a"))[:1024] + NOISE[:512] + tarred(a_file("b"))),
            "no readable tar archive after member 'a': a header is broken",
        ),
    ],
    # The contents hold the time of packing; ids are the same in every test process.
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_a_broken_archive_says_where(unpack, content, said):
    with pytest.raises(BadArchive) as caught:
        unpack(content)
    assert said in caught.value.message


def test_unpacking_ends_when_it_is_given_up(unpack):
    given_up = threading.Event()
    given_up.set()
    with pytest.raises(BadArchive, match="given up"):
        unpack(zipped(a_file("a")), given_up=given_up)
