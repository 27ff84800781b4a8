"""The sums of S3's clients."""

import base64
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.apps.storage.checksums import ALGORITHMS, FoldedCrc, Sums
from parkade.apps.storage.faults import Fault

#: The published check values: the sum of the digits 1 to 9.
CHECKS = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}
SIZES = [0, 1, 3, 7, 8, 9, 127, 128, 129, 130, 137, 255, 1000, 4097, 100_000]


def b64(data):
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_each_crc_has_its_published_check_value(name):
    crc = ALGORITHMS[name]()
    crc.update(b"123456789")
    assert crc.digest().hex() == CHECKS[name]


@pytest.mark.parametrize("size", SIZES)
def test_folding_gives_what_the_standard_library_gives(size):
    data = hashlib.shake_128(b"data").digest(size)
    crc = FoldedCrc(32, 0x04C11DB7)
    crc.update(data)
    assert int.from_bytes(crc.digest(), "big") == zlib.crc32(data)


@given(pieces=st.lists(st.binary(max_size=400), max_size=6))
def test_pieces_give_what_the_whole_gives(pieces):
    for name in CHECKS:
        whole, parts = ALGORITHMS[name](), ALGORITHMS[name]()
        whole.update(b"".join(pieces))
        for piece in pieces:
            parts.update(piece)
        assert parts.digest() == whole.digest()


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_a_sum_in_a_header_or_a_trailer_is_compared(name):
    made = ALGORITHMS[name]()
    made.update(b"content")
    right = {f"x-amz-checksum-{name}": b64(made.digest())}
    wrong = {f"x-amz-checksum-{name}": b64(bytes(len(made.digest())))}
    for trailing in (False, True):
        for told in (right, wrong):
            sums = Sums({"x-amz-trailer": next(iter(told))} if trailing else told)
            sums.update(b"con")
            sums.update(b"tent")
            if told is right:
                assert sums.verify(told if trailing else {}) == right
            else:
                with pytest.raises(Fault) as error:
                    sums.verify(told if trailing else {})
                assert error.value.code == "BadDigest"


def test_md5_is_compared_and_not_told_back():
    sums = Sums({"content-md5": b64(hashlib.md5(b"content", usedforsecurity=False).digest())})
    sums.update(b"content")
    assert sums.verify() == {}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x-amz-checksum-crc99": "AAAA"}, "InvalidRequest"),
        ({"content-md5": "!"}, "InvalidDigest"),
        ({"content-md5": "AAAA"}, "InvalidDigest"),
        ({"x-amz-trailer": "x-amz-checksum-crc32"}, "InvalidArgument"),
    ],
)
def test_what_is_no_sum_is_refused(headers, code):
    with pytest.raises(Fault) as error:
        Sums(headers).verify()
    assert error.value.code == code


def test_words_that_begin_alike_are_no_sums():
    assert not Sums({"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-mode": "ENABLED"}).named
