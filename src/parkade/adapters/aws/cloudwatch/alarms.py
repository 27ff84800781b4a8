"""The alarm store port on CloudWatch, which evaluates alarms and tells of them by itself.

A change is a request to CloudWatch and then an event of the history: a crash in between loses the
event. Versions are the instants of CloudWatch's own last change: another write is seen when it was
made before this one looked, and not when it is made in the same moment.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.cloudwatch import forms
from parkade.adapters.aws.refusals import calling
from parkade.domain.alarm import Alarm, State
from parkade.domain.errors import AlarmNotFound, Conflict, Unreadable, VersionConflict
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account
    from parkade.domain.event import Event
    from parkade.ports.events import History

_TYPES = ["MetricAlarm", "CompositeAlarm"]
#: The tags of alarms that are told with all others: asking for each would be a request each.
_NOT_ASKED: Mapping[str, str] = MappingProxyType({})


class CloudWatchAlarms:
    """The alarm store port."""

    def __init__(self, account: Account, history: History) -> None:
        self._account = account
        self._history = history

    def get(self, name: str) -> Alarm:
        """Return the alarm with its tags."""
        given, kind = self._given(name)
        tags = self._tags(given["AlarmArn"])
        return self._read(given, kind, tags)

    def all(self) -> Listing[Alarm]:
        """Return all alarms without their tags, and why others cannot be read."""
        found: dict[str, Alarm] = {}
        composites: list[Mapping[str, Any]] = []
        unreadable: dict[str, str] = {}
        with calling("the alarms cannot be listed"):
            pages = list(self._account.pages("cloudwatch", "describe_alarms", AlarmTypes=_TYPES))
        for page in pages:
            composites += page.get("CompositeAlarms", ())
            for given in page.get("MetricAlarms", ()):
                try:
                    found[given["AlarmName"]] = forms.read(given, {}, _NOT_ASKED)
                except Unreadable as error:
                    unreadable[given["AlarmName"]] = error.message
        names = sorted(found)
        for given in composites:
            children = [found[name] for name in forms.children(given, names)]
            found[given["AlarmName"]] = forms.composite(given, children, {}, _NOT_ASKED)
        records = tuple(found[name] for name in sorted(found))
        return Listing(records, dict(sorted(unreadable.items())))

    def put(self, alarm: Alarm, event: Event | None = None) -> Alarm:
        """Put the alarm, and set its state where another one was decided on.

        Raises Conflict for one that is made of other alarms.
        """
        held = self._held(alarm.name)
        if (held.version if held else 0) != alarm.version:
            raise VersionConflict(
                f"alarm {alarm.name!r} was changed by somebody else",
                hint="read it again, then decide again",
            )
        with calling(f"alarm {alarm.name!r} cannot be put"):
            if held is None or forms.request(held) != forms.request(alarm):
                first = {"Tags": tags} if held is None and (tags := _tags(alarm)) else {}
                self._client.put_metric_alarm(**forms.request(alarm), **first)
            if held is not None:
                self._retag(alarm)
            if _said(alarm, held):
                self._set(alarm)
        if event is not None:
            self._history.append(event)
        return self.get(alarm.name)

    def remove(self, name: str, event: Event) -> None:
        """Remove the alarm."""
        self._given(name)
        with calling(f"alarm {name!r} cannot be removed"):
            self._client.delete_alarms(AlarmNames=[name])
        self._history.append(event)

    @property
    def _client(self) -> Any:
        return self._account.client("cloudwatch")

    def _given(self, name: str) -> tuple[Mapping[str, Any], str]:
        """Return what CloudWatch tells of an alarm. Raises AlarmNotFound."""
        with calling(f"alarm {name!r} cannot be read"):
            answer = self._client.describe_alarms(AlarmNames=[name], AlarmTypes=_TYPES)
        for kind in ("MetricAlarms", "CompositeAlarms"):
            for given in answer.get(kind, ()):
                if given["AlarmName"] == name:
                    return given, kind
        raise AlarmNotFound(f"there is no alarm {name!r}")

    def _read(self, given: Mapping[str, Any], kind: str, tags: Mapping[str, str]) -> Alarm:
        held = {key: value for key, value in tags.items() if not key.startswith("parkade:")}
        if kind == "MetricAlarms":
            return forms.read(given, tags, held)
        with calling(f"what alarm {given['AlarmName']!r} is made of cannot be read"):
            children = self._children(given["AlarmName"])
        return forms.composite(given, children, tags, held)

    def _children(self, name: str) -> list[Alarm]:
        """Return the alarms on metrics that another is made of; what cannot be read shows no series.

        Of children CloudWatch tells little more than their names, so that it is asked twice.
        """
        names = [each["AlarmName"] for each in self._listed(ChildrenOfAlarmName=name)]
        found = []
        for each in self._listed(AlarmNames=names) if names else ():
            with suppress(Unreadable):
                found.append(forms.read(each, {}, _NOT_ASKED))
        return found

    def _listed(self, **request: Any) -> list[Mapping[str, Any]]:
        pages = self._account.pages("cloudwatch", "describe_alarms", **request)
        return [each for page in pages for each in page.get("MetricAlarms", ())]

    def _held(self, name: str) -> Alarm | None:
        """Return the alarm that there is, if it can be read. Raises Conflict: it cannot be put."""
        try:
            given, kind = self._given(name)
            if kind != "MetricAlarms":
                raise Conflict(
                    f"alarm {name!r} is made of other alarms",
                    hint="change it in CloudWatch, or where it was made",
                )
            return self._read(given, kind, self._tags(given["AlarmArn"]))
        except (AlarmNotFound, Unreadable):
            return None

    def _tags(self, arn: str) -> dict[str, str]:
        with calling(f"the tags of {arn} cannot be read"):
            answer = self._client.list_tags_for_resource(ResourceARN=arn)
        return {each["Key"]: each["Value"] for each in answer.get("Tags", ())}

    def _retag(self, alarm: Alarm) -> None:
        """Set the tags of an alarm that is there; of one that was read without them, none."""
        if alarm.tags is _NOT_ASKED:
            return
        arn = self._given(alarm.name)[0]["AlarmArn"]
        held, wanted = self._tags(arn), forms.tags(alarm)
        if gone := [key for key in held if key not in wanted]:
            self._client.untag_resource(ResourceARN=arn, TagKeys=gone)
        if added := {key: value for key, value in wanted.items() if held.get(key) != value}:
            self._client.tag_resource(ResourceARN=arn, Tags=forms.listed(added))

    def _set(self, alarm: Alarm) -> None:
        standing = alarm.standing
        data = {"StateReasonData": standing.data} if standing.data else {}
        self._client.set_alarm_state(
            AlarmName=alarm.name,
            StateValue=str(standing.state),
            StateReason=standing.reason,
            **data,
        )


def _tags(alarm: Alarm) -> list[dict[str, str]]:
    return forms.listed(forms.tags(alarm))


def _said(alarm: Alarm, held: Alarm | None) -> bool:
    """Tell whether somebody has decided on another state than the one that CloudWatch has."""
    if held is None:
        return alarm.standing.state is not State.INSUFFICIENT_DATA
    said, was = alarm.standing, held.standing
    return (said.state, said.reason) != (was.state, was.reason)
