"""Documents as the contents of items: long ones deflated, and none that an item could not hold.

A short document is a text, which people can read in the console. What is longer is deflated: a
write costs by the kilobyte, and DynamoDB holds 400 KB an item, which blueprints with many models
would come near to as they are.
"""

from __future__ import annotations

import zlib

from parkade.domain.errors import ResourceLimitExceeded, Unreadable

#: Bytes of a document that is stored as it is.
PLAIN = 4_096
#: Bytes of a content: DynamoDB's 400 KB, less room for key and attributes.
LARGEST = 390_000
#: Bytes of a document that comes out of a content; what is longer was never put in.
_LONGEST = 64_000_000


def packed(document: str, what: str) -> str | bytes:
    """Return the content of an item; `what` is what messages call it.

    Raises ResourceLimitExceeded where no item could hold it.
    """
    raw = document.encode()
    if len(raw) <= PLAIN:
        return document
    content = deflated(document)
    if len(content) > LARGEST:
        raise ResourceLimitExceeded(
            f"{what} is too large to be stored: {len(raw):,} bytes, and {len(content):,} bytes "
            f"deflated; an item of DynamoDB holds {LARGEST:,} of them",
            hint="make it smaller: fewer parts, shorter texts",
        )
    return content


def deflated(document: str) -> bytes:
    """Return the document deflated, however long that is: one that is cut up before it is stored."""
    return zlib.compress(document.encode())


def unpacked(content: object) -> str:
    """Return the document. Raises Unreadable for what neither of the two gave."""
    if isinstance(content, str):
        return content
    if not isinstance(content, bytes):
        raise Unreadable("its content is neither a text nor bytes")
    inflating = zlib.decompressobj()
    try:
        raw = inflating.decompress(content, _LONGEST)
        if not inflating.eof:
            raise Unreadable("its content is torn")
        return raw.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise Unreadable(f"its content is torn: {error}") from error
