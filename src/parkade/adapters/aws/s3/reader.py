"""An object as it was when it was opened, read from S3 bit by bit.

It can be read for as long as one likes: a connection that breaks is replaced by one that goes on at
the same place of the same object. One that was replaced meanwhile cannot be gone on with: that is
an error, never a mixture.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import Conflict, ParkadeError, Unavailable

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account

#: Bytes that are asked of the connection at once, at least.
BUFFER = 256 * 1024
#: How often a connection that breaks is replaced before it has brought anything.
_ATTEMPTS = 3
_REPLACED = frozenset({"PreconditionFailed", "412", "NoSuchKey", "404"})


class Reader(io.RawIOBase):
    """The bytes of one object. `answer` is what GetObject answered: its body is read first."""

    def __init__(self, account: Account, bucket: str, key: str, answer: dict[str, Any]) -> None:
        self._account = account
        self._bucket = bucket
        self._key = key
        self._tag: str = answer["ETag"]
        self._size: int = answer["ContentLength"]
        self._body: Any = answer["Body"]
        self._at = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that one can go elsewhere in it."""
        return True

    def tell(self) -> int:
        """Return where it is read next."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere: what is read next is asked for from there."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        at = max(0, base + offset)
        if at != self._at:
            self._drop()
            self._at = at
        return at

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes. Raises Conflict where the object was replaced, and Unavailable."""
        if self._at >= self._size:
            return 0
        with memoryview(buffer) as view:
            data = self._next(len(view))
            view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Let go of the connection."""
        if not self.closed:
            self._drop()
        super().close()

    def _next(self, most: int) -> bytes:
        error: BotoCoreError | None = None
        for _ in range(_ATTEMPTS):
            try:
                if self._body is None:
                    self._body = self._open()
                data: bytes = self._body.read(most)
            except BotoCoreError as broken:
                error = broken
                self._drop()
                continue
            if data:
                return data
            self._drop()  # it ended before the object does
        raise Unavailable(
            f"s3://{self._bucket}/{self._key} breaks off at byte {self._at} of {self._size}",
            hint="try again",
        ) from error

    def _open(self) -> Any:
        what = f"s3://{self._bucket}/{self._key} cannot be read on from byte {self._at}"

        def meaning(code: str, text: str) -> ParkadeError | None:
            if code not in _REPLACED:
                return None
            return Conflict(f"{what}: it was replaced or deleted ({text})", hint="read it anew")

        with calling(what, meaning):
            return self._account.client("s3").get_object(
                Bucket=self._bucket,
                Key=self._key,
                Range=f"bytes={self._at}-",
                IfMatch=self._tag,
            )["Body"]

    def _drop(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()
