"""What is shown of a part that is to be made: what a reader decides by, and no more.

What nobody wrote, the project's own marks, and what the heading says already are left out; an alarm
is told as `parkade status` tells it. `--json` has every member.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from parkade.domain import alarmforms
from parkade.domain.alarm import State
from parkade.domain.catalog import Routing
from parkade.domain.errors import InvalidInput
from parkade.domain.event import in_minutes
from parkade.domain.idle import IdleRules
from parkade.domain.project import audience
from parkade.domain.project.project import PROJECT_TAG
from parkade.domain.tester.course import Course
from parkade.services.alarms import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_COURSE, _IDLE = Course(), IdleRules()
#: Members, by the end of their paths, that hold this where the file says nothing.
_UNWRITTEN: Mapping[str, Mapping[str, object]] = {
    "endpoint": {
        "deploy": True,
        "metered": True,
        "EnableCapture": True,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "RoutingStrategy": Routing.LEAST_OUTSTANDING_REQUESTS,
        "DisableScaleIn": False,
        "watch": "on",
        "grace_minutes": in_minutes(_IDLE.grace),
        "window_minutes": in_minutes(_IDLE.window),
        "hold_seconds": 0,
        "pauses": False,
    },
    "route": {"public": False},
    "subscriber": {
        "enabled": True,
        "kinds": list(audience.KINDS),
        "alarm_states": [State.ALARM],
    },
    "tester": {
        "timeout_seconds": _COURSE.timeout,
        "interval_seconds": _COURSE.interval,
        "timezone": "UTC",
    },
    "budget": {"zone": "UTC"},
}
#: Members that say again what the part is called, or whose it is.
_SAID: Mapping[str, frozenset[str]] = {
    "endpoint": frozenset({"VariantName"}),
    "route": frozenset({"project"}),
    "subscriber": frozenset({"projects"}),
    "tester": frozenset({"project", "stage"}),
}
#: Tags that everything of the project has, by their paths.
_PROJECT_TAGS = (f"tags.{PROJECT_TAG}", "tags.environment")
#: A list that is longer, or one of objects, is counted.
_LISTED = 3
#: Any instant will do: an alarm that is to be made has no state to be told.
_NEVER = datetime.min.replace(tzinfo=UTC)


def members(change: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    """Go through what is told of a new part of the project: paths and values, or a line alone."""
    fields: Sequence[Mapping[str, Any]] = change["fields"]
    if change["kind"] == "alarm" and (line := _alarm(change["name"], fields)):
        yield "", line
        fields = [each for each in fields if each["path"] == "AlarmActions"]
    for each in fields:
        if each["hidden"]:
            yield each["path"], "a secret"
        elif not _unsaid(change["kind"], each["path"], each["after"], prefix):
            yield each["path"], _counted(each["after"])


def _unsaid(kind: str, path: str, value: object, prefix: str) -> bool:
    """Tell whether a member says nothing that the file says."""
    if value in (None, [], {}):
        return True
    if path in _PROJECT_TAGS:
        # The stage, by which the deployer marks endpoints; another word is somebody's own.
        return prefix.endswith(str(value))
    last = path.rpartition(".")[2]
    unwritten = _UNWRITTEN.get(kind, {})
    return last in _SAID.get(kind, ()) or (last in unwritten and unwritten[last] == value)


def _counted(value: object) -> object:
    if not isinstance(value, list):
        return value
    if len(value) > _LISTED or any(isinstance(each, dict) for each in value):
        return str(len(value))
    return ", ".join(map(str, value))


def _alarm(name: str, fields: Sequence[Mapping[str, Any]]) -> str:
    """Say when an alarm goes off; empty: a newer server knows more of alarms than is known here."""
    try:
        content = {each["path"]: each["after"] for each in fields}
        return words(alarmforms.alarm(name, content, _NEVER))
    except InvalidInput:
        return ""
