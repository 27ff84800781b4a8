"""An object on its way to S3: it waits on the disk until it is whole, then it is sent.

S3 shows an object once all of it has come. What is small is sent in one request, what is larger in
parts, side by side, each tried again for itself. Its SHA-256 goes with it: S3's own ETag of what
came in parts says nothing about the content.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from parkade.adapters.aws.refusals import calling, code_of
from parkade.adapters.aws.s3.infos import members
from parkade.domain.errors import ResourceLimitExceeded, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from parkade.adapters.aws.account import Account
    from parkade.ports.objects import ObjectInfo

#: bytes. What is larger waits on the disk, and is sent in parts of this size.
PART = 8 * 1024**2


class Writer:
    """One object. `sent` describes it once S3 has it, by its SHA-256 and what S3 answered."""

    def __init__(
        self,
        account: Account,
        bucket: str,
        key: str,
        headers: Mapping[str, str],
        *,
        make_bucket: Callable[[str], None],
        sent: Callable[[str, str, int, Mapping[str, str], str], ObjectInfo],
    ) -> None:
        self._account = account
        self._bucket = bucket
        self._key = key
        self._headers = dict(headers)
        self._make_bucket = make_bucket
        self._sent = sent
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=PART)  # noqa: SIM115  see close
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> object:
        """Take the next piece."""
        with _on_disk(self._address):
            self._file.write(data)
        self._digest.update(data)
        self._size += len(data)
        return len(data)

    def digest(self) -> str:
        """Return the SHA-256, in hex, of what was written so far."""
        return self._digest.hexdigest()

    def commit(self) -> ObjectInfo:
        """Send the object. S3 shows it whole, in place of an older one."""
        extra = members(self._headers, self.digest())
        with self._file, calling(f"{self._address} cannot be written"):
            try:
                self._send(extra)
            except ClientError as error:
                if code_of(error) != "NoSuchBucket":
                    raise
                self._make_bucket(self._bucket)
                self._send(extra)
        return self._sent(self._bucket, self._key, self._size, self._headers, self.digest())

    def close(self) -> None:
        """Let go of what was written and not sent."""
        self._file.close()

    @property
    def _address(self) -> str:
        return f"s3://{self._bucket}/{self._key}"

    def _send(self, extra: Mapping[str, Any]) -> None:
        """Send all of it. Raises what botocore raises."""
        self._file.seek(0)
        client = self._account.client("s3")
        if self._size <= PART:
            client.put_object(
                Bucket=self._bucket,
                Key=self._key,
                Body=self._file.read(),
                ChecksumSHA256=base64.b64encode(self._digest.digest()).decode(),
                **extra,
            )
            return
        # Functions that write nothing large start without it.
        from s3transfer.manager import TransferConfig, TransferManager  # noqa: PLC0415

        config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
        with TransferManager(client, config) as manager:
            manager.upload(self._file, self._bucket, self._key, extra_args=dict(extra)).result()


@contextmanager
def _on_disk(address: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise ResourceLimitExceeded(
                f"there is no room on the disk for {address}, which waits there until it is whole",
                hint="make room, or give the function more ephemeral storage",
            ) from error
        raise Unavailable(f"{address} cannot be kept on the disk: {error.strerror}") from error
