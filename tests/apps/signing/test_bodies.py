"""Bodies in AWS's chunks: the published examples, every cut, and what is broken or changed."""

from __future__ import annotations

import hashlib
import hmac
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.apps.signing import bodies
from parkade.apps.signing.keys import signing_key
from parkade.apps.signing.refusals import Reason, Refused
from parkade.apps.signing.verification import Seal

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
TRAILED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
NOTHING = hashlib.sha256(b"").hexdigest()

#: AWS's examples: 66,560 letters `a` in chunks of 64 KiB and 1 KiB.
EXAMPLE_KEY = signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3")
CONTENT = b"a" * 66_560


def seal(signature: str, key: bytes = EXAMPLE_KEY) -> Seal:
    return Seal(
        stamp="20130524T000000Z",
        scope="20130524/us-east-1/s3/aws4_request",
        signature=signature,
        key=key,
    )


PUBLISHED = {
    SIGNED: (
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        [
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ],
        b"\r\n",
    ),
    TRAILED: (
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        [
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        ],
        b"""x-amz-checksum-crc32c:sOO8/Q==\r
x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r
\r
""",
    ),
}


def example(declared: str) -> bytes:
    _, signatures, end = PUBLISHED[declared]
    pieces = [CONTENT[:65_536], CONTENT[65_536:], b""]
    return (
        b"".join(
            b"%x;chunk-signature=%b\r\n%b%b" % (len(p), s.encode(), p, b"\r\n" if p else b"")
            for p, s in zip(pieces, signatures, strict=True)
        )
        + end
    )


@pytest.mark.parametrize("declared", PUBLISHED)
@pytest.mark.parametrize("step", [1_000, 65_536, 10**6])
def test_the_published_examples_are_read(declared: str, step: int) -> None:
    wire = example(declared)
    body = bodies.reader(declared, seal=seal(PUBLISHED[declared][0]), length=len(CONTENT))
    read = b"".join(body.feed(wire[at : at + step]) for at in range(0, len(wire), step))
    assert read == CONTENT
    expected = {} if declared == SIGNED else {"x-amz-checksum-crc32c": "sOO8/Q=="}
    assert body.end() == expected


class Signer:
    """Signs chunks, written after AWS's description and not after the reader."""

    def __init__(self, key: bytes, seed: str) -> None:
        self.key, self.last = key, seed

    def _sign(self, *lines: str) -> str:
        text = "\n".join(lines)
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def chunk(self, data: bytes) -> bytes:
        self.last = self._sign(
            "AWS4-HMAC-SHA256-PAYLOAD",
            "20130524T000000Z",
            "20130524/us-east-1/s3/aws4_request",
            self.last,
            NOTHING,
            hashlib.sha256(data).hexdigest(),
        )
        line = f"{len(data):x};chunk-signature={self.last}\r\n".encode()
        return line + data + (b"\r\n" if data else b"")

    def trailers(self, **values: str) -> bytes:
        lines = "".join(f"{name.replace('_', '-')}:{value}\n" for name, value in values.items())
        signature = self._sign(
            "AWS4-HMAC-SHA256-TRAILER",
            "20130524T000000Z",
            "20130524/us-east-1/s3/aws4_request",
            self.last,
            hashlib.sha256(lines.encode()).hexdigest(),
        )
        return f"{lines}x-amz-trailer-signature:{signature}\n\n".replace("\n", "\r\n").encode()


SEED = "0123456789abcdef" * 4
KEY = b"k" * 32


def wired(declared: str, chunks: list[bytes]) -> bytes:
    if declared == UNSIGNED:
        sent = b"".join(b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        return sent + b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    signer = Signer(KEY, SEED)
    sent = b"".join(signer.chunk(chunk) for chunk in [*chunks, b""])
    trailers = signer.trailers(x_amz_checksum_crc32="AAAAAA==") if declared == TRAILED else b"\r\n"
    return sent + trailers


def read(declared: str, wire: bytes, cuts: list[int], length: int | None = None) -> bytes:
    body = bodies.reader(declared, seal=seal(SEED, KEY), length=length)
    places = sorted({0, len(wire), *(cut % (len(wire) + 1) for cut in cuts)})
    content = b"".join(body.feed(wire[a:b]) for a, b in pairwise(places))
    trailers = body.end()
    assert trailers == ({} if declared == SIGNED else {"x-amz-checksum-crc32": "AAAAAA=="})
    return content


KINDS = st.sampled_from([SIGNED, TRAILED, UNSIGNED])
CHUNKS = st.lists(st.binary(min_size=1, max_size=50), max_size=4)


@settings(deadline=None)
@given(declared=KINDS, chunks=CHUNKS, cuts=st.lists(st.integers(0, 999), max_size=9))
def test_chunks_may_be_cut_anywhere(declared: str, chunks: list[bytes], cuts: list[int]) -> None:
    content = b"".join(chunks)
    assert read(declared, wired(declared, chunks), cuts, len(content)) == content


@settings(deadline=None, max_examples=300)
@given(
    declared=st.sampled_from([SIGNED, TRAILED]),
    chunks=st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=4),
    at=st.integers(0, 9999),
    bit=st.integers(0, 7),
)
def test_a_flipped_bit_is_found(declared: str, chunks: list[bytes], at: int, bit: int) -> None:
    wire = bytearray(wired(declared, chunks))
    wire[at % len(wire)] ^= 1 << bit
    before, after = wired(declared, chunks), bytes(wire)
    if before.split() == after.split() or before.lower() == after.lower():
        # The case of a size's digits, or of a trailer's name, and blanks mean nothing.
        return
    with pytest.raises(Refused) as raised:
        read(declared, after, [])
    assert raised.value.reason in {Reason.MISMATCH, Reason.BODY_INCOMPLETE}


@settings(deadline=None)
@given(declared=KINDS, chunks=CHUNKS, at=st.integers(0, 9999))
def test_a_body_that_was_cut_off_is_found(declared: str, chunks: list[bytes], at: int) -> None:
    wire = wired(declared, chunks)
    # Blank lines at the end say nothing; trailers that are not signed are checksums, which tell.
    end = wire.rindex(b"0\r\nx-") + 1 if declared == UNSIGNED else len(wire.rstrip(b"\r\n"))
    with pytest.raises(Refused):
        read(declared, wire[: at % end], [])


def test_chunks_in_another_order_are_found() -> None:
    signer = Signer(KEY, SEED)
    first, second, last = (signer.chunk(data) for data in (b"one", b"two", b""))
    with pytest.raises(Refused) as raised:
        read(SIGNED, second + first + last + b"\r\n", [])
    assert raised.value.reason is Reason.MISMATCH


def test_chunks_of_one_body_are_none_of_another() -> None:
    body = bodies.reader(SIGNED, seal=seal("f" * 64, KEY), length=None)
    with pytest.raises(Refused):
        body.feed(wired(SIGNED, [b"abc"]))


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"3\r\nabc",
        b"3\r\nabc\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"xyz\r\n",
        b"-3\r\nabc\r\n0\r\n\r\n",
        b"\r\n0\r\n\r\n",
        b"f" * 17 + b"\r\n",
        b"3" * 10_000,
        b"3;other=1\r\nabc\r\n0\r\n\r\n",
        b"0\r\nno colon\r\n\r\n",
        b"0\r\n" + b"a:b\r\n" * 10_000,
    ],
    ids=range(12),
)
def test_what_is_not_framed_so_is_refused(wire: bytes) -> None:
    body = bodies.reader(UNSIGNED, seal=None, length=None)
    with pytest.raises(Refused) as raised:
        body.feed(wire), body.end()
    assert raised.value.reason is Reason.BODY_INCOMPLETE
    assert (raised.value.code("s3"), raised.value.status("s3")) == ("IncompleteBody", 400)


@pytest.mark.parametrize("length", [0, 2, 4])
def test_the_length_that_was_announced_is_held_to(length: int) -> None:
    with pytest.raises(Refused) as raised:
        read(UNSIGNED, wired(UNSIGNED, [b"abc"]), [], length)
    assert "x-amz-decoded-content-length" in raised.value.message


def test_trailers_that_nobody_announced_are_refused() -> None:
    wire = wired(SIGNED, [b"abc"]) + b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    with pytest.raises(Refused) as raised:
        read(SIGNED, wire, [])
    assert raised.value.reason is Reason.BODY_INCOMPLETE


def test_where_nobody_asks_who_calls_chunks_are_read_unverified() -> None:
    body = bodies.reader(TRAILED, seal=None, length=3)
    assert body.feed(wired(TRAILED, [b"abc"]).replace(b"abc", b"xyz")) == b"xyz"
    assert body.end() == {"x-amz-checksum-crc32": "AAAAAA=="}


@pytest.mark.parametrize("declared", ["", "nonsense", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"])
def test_an_unknown_word_for_a_body_is_refused_by_name(declared: str) -> None:
    with pytest.raises(Refused) as raised:
        bodies.reader(declared, seal=None, length=None)
    assert repr(declared) in raised.value.message
    assert "UNSIGNED-PAYLOAD" in raised.value.message


def test_a_body_of_any_size_takes_little_memory() -> None:
    body = bodies.AwsChunked(seal=seal(SEED, KEY), trailers=False, length=None)
    body.feed(b"10000000000;chunk-signature=" + b"0" * 64 + b"\r\n")
    for _ in range(50):
        assert len(body.feed(b"x" * 2**16)) == 2**16
    assert not body._line
