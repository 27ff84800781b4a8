"""Tags: what AWS allows in their keys and values, and how many one thing has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 50
KEY_LIMIT, VALUE_LIMIT = 128, 256
#: Keys that begin so are AWS's own.
RESERVED = "aws:"
_TEXT = re.compile(r"[\w\s.:/=+\-@]*")


def checked(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Return the tags. Raises InvalidInput for those that AWS would not take."""
    for key, value in tags.items():
        if not 1 <= len(key) <= KEY_LIMIT or key.lower().startswith(RESERVED):
            raise InvalidInput(
                f"tag key {key[:80]!r} is not usable",
                field="tags",
                hint=f"use 1 to {KEY_LIMIT} characters that do not begin with {RESERVED}",
            )
        if len(value) > VALUE_LIMIT:
            raise InvalidInput(
                f"the value of tag {key!r} has {len(value)} characters",
                field="tags",
                hint=f"at most {VALUE_LIMIT} are allowed",
            )
        for text in (key, value):
            if not _TEXT.fullmatch(text):
                raise InvalidInput(
                    f"tag {key[:80]!r} has a character that AWS does not allow",
                    field="tags",
                    hint="use letters, digits, spaces and . : / = + - @ _",
                )
    if len(tags) > LIMIT:
        raise InvalidInput(f"there would be {len(tags)} tags; {LIMIT} are allowed", field="tags")
    return tags
