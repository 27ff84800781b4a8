"""Reads bodies as S3's requests declare them, piece by piece, and holds them to it.

What a request says in `x-amz-content-sha256` is signed: the hash of its body, or one of some
words. A body in AWS's own chunks (inside HTTP's) brings a signature with each of them, which is
made over the one before, and may end with trailers, such as a checksum. What a reader gives out
may be used only once its `end` has returned: until then a part of it can still prove false.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Protocol

from parkade.apps.signing.refusals import Reason, Refused
from parkade.apps.signing.verification import UNSIGNED, sign

if TYPE_CHECKING:
    from parkade.apps.signing.verification import Seal

#: Bodies in chunks, and whether chunks are signed and trailers follow.
CHUNKED = {
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": (True, False),
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": (True, True),
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER": (False, True),
}
#: Bytes of the line before a chunk, and of all trailers.
LINE_LIMIT = 256
TRAILERS_LIMIT = 16_384

_HASH = re.compile(r"[0-9a-f]{64}")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})(?:;chunk-signature=([0-9a-f]{64}))?")
_NOTHING = hashlib.sha256(b"").hexdigest()
_TRAILER_SIGNATURE = "x-amz-trailer-signature"


class Body(Protocol):
    """Takes a body as it was sent, gives out what it holds."""

    def feed(self, data: bytes) -> bytes:
        """Return what this piece holds of the content. Raises Refused."""
        ...

    def end(self) -> dict[str, str]:
        """Return the trailers by their names in lower case. Raises Refused: drop the content."""
        ...


def reader(declared: str, *, seal: Seal | None, length: int | None) -> Body:
    """Return a reader of the body that is declared so. Raises Refused for an unknown word.

    `length` is the content's own (`x-amz-decoded-content-length`). Without a seal nobody has
    asked who the caller is, and signatures of chunks are not looked at.
    """
    if declared == UNSIGNED:
        return Plain()
    if declared in CHUNKED:
        signed, trailers = CHUNKED[declared]
        return AwsChunked(seal=seal if signed else None, trailers=trailers, length=length)
    if _HASH.fullmatch(declared):
        return Hashed(declared)
    raise Refused(
        Reason.BODY_MISMATCH,
        f"x-amz-content-sha256 is {declared[:80]!r}; it must be the SHA-256 of the body in hex, "
        f"{UNSIGNED}, or one of {', '.join(CHUNKED)}.",
        hint="use an S3 client that signs with signature version 4",
    )


class Plain:
    """A body whose signature does not cover it."""

    def feed(self, data: bytes) -> bytes:
        """Return it as it is."""
        return data

    def end(self) -> dict[str, str]:
        """There are no trailers."""
        return {}


class Hashed:
    """A body whose hash is signed."""

    def __init__(self, expected: str) -> None:
        self._expected = expected
        self._hash = hashlib.sha256()

    def feed(self, data: bytes) -> bytes:
        """Return it as it is."""
        self._hash.update(data)
        return data

    def end(self) -> dict[str, str]:
        """Compare the hash."""
        if not hmac.compare_digest(self._hash.hexdigest(), self._expected):
            raise Refused(
                Reason.BODY_MISMATCH,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                hint="send the body that was signed",
            )
        return {}


class AwsChunked:
    """A body in AWS's chunks."""

    def __init__(self, *, seal: Seal | None, trailers: bool, length: int | None) -> None:
        """With a seal, chunks and trailers must be signed."""
        self._seal = seal
        self._previous = seal.signature if seal is not None else ""
        self._with_trailers = trailers
        self._expected = length
        self._length = 0
        self._line = bytearray()
        #: Bytes that are still to come of the chunk; its signature and its hash until then.
        self._left = 0
        self._signature = ""
        self._hash = hashlib.sha256()
        #: Whether the line end after a chunk's bytes is next.
        self._closing = False
        #: Whether all chunks are over.
        self._last = False

    def feed(self, data: bytes) -> bytes:
        """Return what this piece holds of the chunks' bytes."""
        content: list[bytes] = []
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._take(piece)
                content.append(piece)
            else:
                stop = len(data) if self._last else data.find(b"\n", at) + 1 or len(data)
                self._line += data[at:stop]
                at = stop
                self._look()
        return b"".join(content)

    def end(self) -> dict[str, str]:
        """Verify what is left, and that nothing is missing."""
        if not self._last:
            raise _broken("the body ends before its last chunk")
        if self._expected is not None and self._length != self._expected:
            raise _broken(
                f"x-amz-decoded-content-length is {self._expected}, the chunks hold {self._length} "
                "bytes"
            )
        return self._trailers()

    def _take(self, piece: bytes) -> None:
        self._length += len(piece)
        self._left -= len(piece)
        if self._seal is not None:
            self._hash.update(piece)
        if not self._left:
            self._close()

    def _look(self) -> None:
        """Read the line if it is whole."""
        if self._last:
            if len(self._line) > TRAILERS_LIMIT:
                raise _broken(f"the trailers are longer than {TRAILERS_LIMIT} bytes")
            return
        if len(self._line) > LINE_LIMIT:
            raise _broken(f"the line before a chunk is longer than {LINE_LIMIT} bytes")
        if not self._line.endswith(b"\n"):
            return
        line = bytes(self._line).rstrip(b"\r\n")
        self._line.clear()
        if self._closing:
            self._closing = False
            if line:
                raise _broken("a chunk is longer than the line before it says")
        else:
            self._open(line)

    def _open(self, line: bytes) -> None:
        match = _CHUNK.fullmatch(line)
        if match is None:
            raise _broken(f"{line[:80]!r} does not begin a chunk")
        self._signature = (match[2] or b"").decode()
        self._left = int(match[1], 16)
        if not self._left:
            self._last = True
            self._close()

    def _close(self) -> None:
        """Verify the chunk's signature."""
        self._closing = not self._last
        if self._seal is None:
            return
        self._verify(
            "AWS4-HMAC-SHA256-PAYLOAD", f"{_NOTHING}\n{self._hash.hexdigest()}", self._signature
        )
        self._previous = self._signature
        self._hash = hashlib.sha256()

    def _trailers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in self._line.split(b"\n"):
            name, colon, value = line.partition(b":")
            if colon:
                found[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
            elif line.strip():
                raise _broken(f"the trailer {bytes(line[:80])!r} has no colon")
        if found and not self._with_trailers:
            raise _broken("there are trailers, which x-amz-content-sha256 does not say")
        signature = found.pop(_TRAILER_SIGNATURE, "")
        if self._seal is not None and self._with_trailers:
            signed = "".join(f"{name}:{value}\n" for name, value in found.items())
            self._verify(
                "AWS4-HMAC-SHA256-TRAILER",
                hashlib.sha256(signed.encode("latin-1")).hexdigest(),
                signature,
            )
        return found

    def _verify(self, algorithm: str, hashes: str, signature: str) -> None:
        seal = self._seal
        assert seal is not None  # noqa: S101  callers have looked
        text = f"{algorithm}\n{seal.stamp}\n{seal.scope}\n{self._previous}\n{hashes}"
        if not hmac.compare_digest(sign(seal.key, text.encode()).encode(), signature.encode()):
            raise Refused(
                Reason.MISMATCH,
                "The chunk signature we calculated does not match the signature you provided.",
                hint="send the chunks that were signed, in their order",
            )


def _broken(what: str) -> Refused:
    return Refused(Reason.BODY_INCOMPLETE, f"{what}.", hint="send the body again, whole")
