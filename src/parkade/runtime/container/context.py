"""What a script may know of its request and say about its answer.

SageMaker's toolkits hand such an object to every function that takes one argument more than it
has to; the names of its methods are theirs. The index is always 0: requests come one by one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TEXT = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
#: Answers of these statuses have no body; a client would take it for the next answer.
_BODILESS = frozenset({204, 205, 304})
#: Tells a 404 of a multi-model container itself from one of a script.
NOT_LOADED = "X-Parkade-Model-Not-Loaded"
#: The server writes these itself.
_OWN = frozenset({"content-length", "connection", "transfer-encoding", NOT_LOADED.lower()})


class Context:
    """The request's headers, and the status, content type and headers of the answer."""

    __slots__ = ("_headers", "_model_dir", "response_content_type", "response_headers", "status")

    def __init__(self, model_dir: Path, headers: Mapping[bytes, bytes]) -> None:
        self._model_dir = model_dir
        self._headers = headers
        self.status = 200
        self.response_content_type = ""
        self.response_headers: tuple[tuple[str, str], ...] = ()

    @property
    def system_properties(self) -> dict[str, str]:
        """The properties of the worker: where the model folder is."""
        return {"model_dir": str(self._model_dir)}

    @property
    def request_processor(self) -> tuple[Context]:
        """The older way to the headers: `context.request_processor[0].get_request_properties()`."""
        return (self,)

    def get_request_properties(self) -> dict[str, str]:
        """Return all request headers, their names in lower case."""
        return self.get_all_request_header()

    def get_all_request_header(self, idx: int = 0) -> dict[str, str]:  # noqa: ARG002
        """Return all request headers, their names in lower case."""
        return {
            name.decode("latin-1"): value.decode("latin-1") for name, value in self._headers.items()
        }

    def get_request_header(self, idx: int, key: str) -> str | None:  # noqa: ARG002
        """Return one request header, its name in any case, or None."""
        value = self._headers.get(key.lower().encode("latin-1"))
        return None if value is None else value.decode("latin-1")

    def set_response_content_type(self, idx: int, value: str) -> None:  # noqa: ARG002
        """Set the content type of the answer, unless the script returns one with the body."""
        self.response_content_type = checked(value)

    def set_response_header(self, idx: int, key: str, value: str) -> None:  # noqa: ARG002
        """Add a header to the answer, such as X-Amzn-SageMaker-Custom-Attributes."""
        if not _TOKEN.fullmatch(key) or key.lower() in _OWN:
            raise ValueError(f"{key!r} is not a header that a script can set")
        if key.lower() == "content-type":
            self.set_response_content_type(0, value)
        else:
            self.response_headers += ((key, checked(value)),)

    def set_response_status(
        self,
        code: int = 200,
        phrase: str = "",  # noqa: ARG002
        idx: int = 0,  # noqa: ARG002
    ) -> None:
        """Set the status of the answer."""
        if not 200 <= code <= 599 or code in _BODILESS:
            raise ValueError(f"{code} is not the status of an answer with a body")
        self.status = code


def checked(value: str) -> str:
    """Return the value of a header if it is one; a line break would begin another header."""
    if not _TEXT.fullmatch(value):
        raise ValueError(f"{value!r} cannot be the value of a header")
    return value
