"""What a caller's headers say: which of them reach the worker, which steer, which are not valid.

The members, their patterns and lengths are those of botocore's description of the SageMaker
runtime. Most requests steer nothing: they share one empty `Asked`, and no pattern is tried.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The session id that asks for a new session.
NEW_SESSION = "NEW_SESSION"
#: Characters of CustomAttributes, ContentType and Accept.
TEXT_LIMIT = 1024
#: Characters of a value that is repeated to the caller because it is not valid.
_SHOWN = 256
_TEXT = r"\p{ASCII}*"
_NAME = "^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
_COMPONENT = r"^[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?$"
_PRINT = r"\A\S[\p{Print}]*\z"
_SESSION = "^[a-zA-Z0-9](-*[a-zA-Z0-9])*$"
#: What the classes of the patterns are in Python's words; `\p{Print}` is ASCII as in Java.
_CLASSES = ((r"[\p{Print}]", r"[\x20-\x7e]"), (r"\p{ASCII}", r"[\x00-\x7f]"), (r"\z", r"\Z"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What steers a request; empty: not given."""

    variant: str = ""
    model: str = ""
    hostname: str = ""
    component: str = ""
    session: str = ""
    inference_id: str = ""
    explanations: str = ""


NOTHING = Asked()


class _Member:
    """A header that carries a member of the runtime's requests."""

    __slots__ = ("_least", "_matches", "_most", "_name", "_pattern", "_shown", "field", "line")

    def __init__(
        self,
        name: str,
        pattern: str,
        most: int,
        *,
        least: int = 0,
        field: str = "",
        line: str = "",
        shown: bool = True,
    ) -> None:
        self.field = field
        #: How the header begins where it is passed on; empty: it is not.
        self.line = _line(line) if line else b""
        self._name = name
        self._pattern = pattern
        self._least = least
        self._most = most
        self._shown = shown
        for theirs, ours in _CLASSES:
            pattern = pattern.replace(theirs, ours)
        self._matches = re.compile(pattern).fullmatch

    def fault(self, value: str) -> str:
        """Return what is wrong with a value, in SageMaker's words; empty: nothing."""
        if len(value) < self._least:
            rule = f"have length greater than or equal to {self._least}"
        elif len(value) > self._most:
            rule = f"have length less than or equal to {self._most}"
        elif self._matches(value) is None:
            rule = f"satisfy regular expression pattern: {self._pattern}"
        else:
            return ""
        shown = f" '{value[:_SHOWN]}'" if self._shown else ""
        return f"Value{shown} at '{self._name}' failed to satisfy constraint: Member must {rule}"


def _line(name: str) -> bytes:
    return b"\r\n%b: " % name.encode()


ENDPOINT_NAME = _Member("endpointName", _NAME, 63)
CONTENT_TYPE = _line("Content-Type")
ACCEPT = _line("Accept")
ATTRIBUTES = _line("X-Amzn-SageMaker-Custom-Attributes")
#: The headers that nearly every request has and that reach the worker, by the operation: what a
#: stream's own `Accept` asks for is the encoding of the stream.
_WHOLE = {b"content-type": CONTENT_TYPE, b"accept": ACCEPT}
_STREAM = {b"content-type": CONTENT_TYPE, b"x-amzn-sagemaker-accept": ACCEPT}
_TEXTS = {
    CONTENT_TYPE: _Member("contentType", _TEXT, TEXT_LIMIT),
    ACCEPT: _Member("accept", _TEXT, TEXT_LIMIT),
}
_TRACES = {b"traceparent": _line("traceparent"), b"tracestate": _line("tracestate")}
_EXPECT = b"expect"
_PREFIX = "X-Amzn-SageMaker-"
#: Headers that steer, or have a rule.
_MEMBERS = {
    (_PREFIX + header).lower().encode(): member
    for header, member in {
        "Custom-Attributes": _Member(
            "customAttributes", _TEXT, TEXT_LIMIT, line=_PREFIX + "Custom-Attributes", shown=False
        ),
        "Target-Model": _Member(
            "targetModel", _PRINT, 1024, least=1, field="model", line=_PREFIX + "Target-Model"
        ),
        "Target-Variant": _Member(
            "targetVariant", _NAME, 63, field="variant", line=_PREFIX + "Target-Variant"
        ),
        "Target-Container-Hostname": _Member(
            "targetContainerHostname", _NAME, 63, field="hostname"
        ),
        "Inference-Component": _Member("inferenceComponentName", _COMPONENT, 63, field="component"),
        "Inference-Id": _Member(
            "inferenceId", _PRINT, 64, least=1, field="inference_id", line=_PREFIX + "Inference-Id"
        ),
        "Session-Id": _Member(
            "sessionId",
            f"^({NEW_SESSION})$|{_SESSION}",
            256,
            field="session",
            line=_PREFIX + "Session-Id",
        ),
        "Enable-Explanations": _Member(
            "enableExplanations", ".*", 64, least=1, field="explanations"
        ),
    }.items()
}
_SESSION_ID = b"x-amzn-sagemaker-session-id"
#: A stream belongs to a session that is open, and opens none.
_STREAM_MEMBERS = _MEMBERS | {
    _SESSION_ID: _Member("sessionId", _SESSION, 256, field="session", line=_PREFIX + "Session-Id")
}
_RARE = frozenset({_EXPECT, *_TRACES, *_MEMBERS})


class Head:
    """The headers of an invocation, sorted."""

    __slots__ = ("asked", "credential", "expects", "fault", "length")

    def __init__(
        self, headers: Iterable[tuple[bytes, bytes]], lines: list[bytes], *, streams: bool
    ) -> None:
        """Add what reaches the worker to `lines`, as beginning and value of each header."""
        self.asked = NOTHING
        self.credential = b""
        #: Length of the body, as far as it is told.
        self.length = 0
        #: Whether the caller waits for word before it sends the body.
        self.expects = False
        #: What is not valid, in SageMaker's words; empty: nothing.
        self.fault = ""
        common = _STREAM if streams else _WHOLE
        rare: list[tuple[bytes, bytes]] = []
        members: list[tuple[_Member, bytes]] = []
        for name, value in headers:
            key = name.lower()
            line = common.get(key)
            if line is not None:
                lines += (line, value)
                if len(value) > TEXT_LIMIT or not value.isascii():
                    members.append((_TEXTS[line], value))
            elif key == b"authorization":
                self.credential = value
            elif key == b"content-length":
                self.length = int(value)
            elif key in _RARE:
                rare.append((key, value))
        if rare or members:
            known = _STREAM_MEMBERS if streams else _MEMBERS
            members += ((known[key], value) for key, value in rare if key in known)
            lines += (
                piece for key, value in rare if key in _TRACES for piece in (_TRACES[key], value)
            )
            self.expects = any(
                key == _EXPECT and value.lower() == b"100-continue" for key, value in rare
            )
            self._ask([(member, value.decode("latin-1")) for member, value in members], lines)

    def _ask(self, members: list[tuple[_Member, str]], lines: list[bytes]) -> None:
        for member, value in members:
            if member.line:
                lines += (member.line, value.encode("latin-1"))
        self.asked = Asked(**{member.field: value for member, value in members if member.field})
        faults = [fault for member, value in members if (fault := member.fault(value))]
        if faults:
            noun = "error" if len(faults) == 1 else "errors"
            self.fault = f"{len(faults)} validation {noun} detected: {'; '.join(faults)}"
