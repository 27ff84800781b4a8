"""What a caller's headers say: which of them reach the worker, which steer, which are not valid.

The members, their patterns and lengths are those of botocore's description of the SageMaker
runtime. Most requests steer nothing: they share one empty `Asked`, and no pattern is tried.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from parkade.apps.gateway.preferences import preferences
from parkade.domain.traces import trace_context

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
    #: What the caller prefers where the model is not there at once: to be held for so many seconds,
    #: and to be told where to look rather than to be refused.
    wait: int | None = None
    respond_async: bool = False


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
#: W3C trace context, in the order of `trace_context`.
_TRACES = {b"traceparent": _line("traceparent"), b"tracestate": _line("tracestate")}
_EXPECT = b"expect"
_PREFER = b"prefer"
_PREFIX = "X-Amzn-SageMaker-"
#: Headers that steer, or have a rule.
_MEMBERS = {
    b"content-type": _Member("contentType", _TEXT, TEXT_LIMIT),
    b"accept": _Member("accept", _TEXT, TEXT_LIMIT),
} | {
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
#: A stream has another header for what to accept. It belongs to a session that is open, and opens
#: none.
_STREAM_MEMBERS = _MEMBERS | {
    b"x-amzn-sagemaker-accept": _MEMBERS[b"accept"],
    b"x-amzn-sagemaker-session-id": _Member(
        "sessionId", _SESSION, 256, field="session", line=_PREFIX + "Session-Id"
    ),
}
_RARE = frozenset({_EXPECT, _PREFER, *_TRACES, *_MEMBERS}) - {b"content-type", b"accept"}

Headers: TypeAlias = "Iterable[tuple[bytes, bytes]]"


def sort(
    headers: Headers, lines: list[bytes], *, streams: bool
) -> tuple[bytes, int, list[tuple[bytes, bytes]]]:
    """Return credential, length of the body as far as it is told, and what is left to `Told`.

    What reaches the worker is added to `lines`, as beginning and value of each header.
    """
    common = _STREAM if streams else _WHOLE
    credential, length, rare = b"", 0, []
    for name, value in headers:
        key = name.lower()
        line = common.get(key)
        if line is not None:
            lines += (line, value)
            if len(value) > TEXT_LIMIT or not value.isascii():
                rare.append((key, value))
        elif key == b"authorization":
            credential = value
        elif key == b"content-length":
            length = int(value)
        elif key in _RARE:
            rare.append((key, value))
    return credential, length, rare


def is_chunked(headers: Headers) -> bool:
    """Tell whether the length of the body is not told ahead of it."""
    return any(key.lower() == b"transfer-encoding" for key, _ in headers)


class Told:
    """What the headers say that few requests have."""

    __slots__ = ("asked", "expects", "fault")

    def __init__(self, headers: Headers, lines: list[bytes], *, streams: bool) -> None:
        """Add those that reach the worker to `lines`."""
        known = _STREAM_MEMBERS if streams else _MEMBERS
        #: Whether the caller waits for word before it sends the body.
        self.expects = False
        fields: dict[str, str] = {}
        faults, prefers = [], []
        traces: dict[bytes, list[str]] = {name: [] for name in _TRACES}
        for key, value in headers:
            if key == _EXPECT:
                self.expects = value.lower() == b"100-continue"
            elif key == _PREFER:
                prefers.append(value.decode("latin-1"))
            elif key in _TRACES:
                traces[key].append(value.decode("latin-1"))
            else:
                member, text = known[key], value.decode("latin-1")
                faults.append(member.fault(text))
                if member.field:
                    fields[member.field] = text
                if member.line:
                    lines += (member.line, value)
        context = trace_context(*traces.values())
        for line, text in zip(_TRACES.values(), context, strict=True):
            if text:
                lines += (line, text.encode("latin-1"))
        preferred = preferences(prefers)
        self.asked = Asked(**fields, **preferred) if fields or preferred else NOTHING
        #: What is not valid, in SageMaker's words; empty: nothing.
        self.fault = ""
        faults = [fault for fault in faults if fault]
        if faults:
            noun = "error" if len(faults) == 1 else "errors"
            self.fault = f"{len(faults)} validation {noun} detected: {'; '.join(faults)}"
