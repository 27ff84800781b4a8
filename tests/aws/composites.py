"""Composite alarms, which neither moto nor the embedded CloudWatch has, in front of the latter.

Every other call is passed on as it came, signature and all, but for one thing: names that begin as
the maintainer's do are Parkade's own there, and others here; so they begin differently there. A
composite's state is made of its children's whenever one of these has told a change, and a change of
it is told to the bus as well.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cbor2
import httpx
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.aws.standins import arn
from tests.aws.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.aws.standins import Standins

_OPERATION = re.compile(r"/service/GraniteServiceVersion20100801/operation/(\w+)")
_TERM = re.compile(r'(NOT )?ALARM\("([^"]+)"\)')
#: What names begin with here, and what they begin with in the embedded CloudWatch.
_OURS, _THEIRS = "parkade-idle/", "walk-idle/"
_SERVICE = "GraniteServiceVersion20100801"


@dataclass(frozen=True)
class Codec:
    """How one of CloudWatch's protocols writes."""

    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    headers: Mapping[str, str]

    def told(self, document: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
        return 200, dict(self.headers), self.write(dict(document))


_CBOR = Codec(
    cbor2.loads,
    lambda told: cbor2.dumps(told, datetime_as_timestamp=True),
    {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"},
)
_JSON = Codec(
    json.loads,
    lambda told: json.dumps(told, default=lambda value: value.timestamp()).encode(),
    {"Content-Type": "application/x-amz-json-1.0"},
)


class Composites:
    """Answers CloudWatch's calls."""

    def __init__(self, standins: Standins, happened: Callable[[Mapping[str, Any]], None]) -> None:
        self._standins = standins
        self._happened = happened
        self._lock = threading.Lock()
        self._held: dict[str, dict[str, Any]] = {}
        #: The last states that children told.
        self._states: dict[str, str] = {}

    def answer(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Carry out an operation on composites, or pass it on."""
        told = _codec(path, headers)
        if told is None or "gzip" in headers.get("Content-Encoding", ""):
            return self._passed(path, headers, body)
        operation, codec = told
        given = codec.read(body) if body else {}
        return self._carried_out(operation, codec, given, (path, headers, body))

    def _carried_out(
        self,
        operation: str,
        codec: Codec,
        given: Mapping[str, Any],
        came: tuple[str, Mapping[str, str], bytes],
    ) -> tuple[int, dict[str, str], bytes]:
        with self._lock:
            if operation == "PutCompositeAlarm":
                self._put(given)
                return codec.told({})
            if operation == "ListTagsForResource":
                name = given["ResourceARN"].rsplit(":alarm:", 1)[-1]
                if name in self._held:
                    return codec.told({"Tags": self._held[name].get("Tags", [])})
            if operation == "DeleteAlarms":
                gone = [each for each in given["AlarmNames"] if each in self._held]
                for each in gone:
                    del self._held[each]
                if gone and len(gone) == len(given["AlarmNames"]):
                    return codec.told({})
            if operation == "DescribeAlarms" and "CompositeAlarm" in given.get("AlarmTypes", ()):
                return self._described(codec, given, came)
        if _OURS in json.dumps(given, default=str):
            return self._renamed(operation, codec, given)
        return self._passed(*came)

    def _renamed(
        self, operation: str, codec: Codec, given: Mapping[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        client = self._standins.embedded_cloudwatch()
        try:
            answer = getattr(client, xform_name(operation))(**swapped(given, _OURS, _THEIRS))
        except ClientError as error:
            told = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            body = codec.write({"__type": told["Code"], "message": told["Message"]})
            return status, dict(codec.headers), body
        answer.pop("ResponseMetadata")
        return codec.told(swapped(answer, _THEIRS, _OURS))

    def _put(self, given: Mapping[str, Any]) -> None:
        name = given["AlarmName"]
        state = self._held.get(name, {}).get("StateValue", "INSUFFICIENT_DATA")
        now = self._standins.clock.now()
        self._held[name] = {
            "AlarmArn": arn("cloudwatch", f"alarm:{name}"),
            "StateUpdatedTimestamp": now,
            "AlarmConfigurationUpdatedTimestamp": now,
            **given,
            "StateValue": state,
        }

    def _described(
        self,
        codec: Codec,
        given: Mapping[str, Any],
        came: tuple[str, Mapping[str, str], bytes],
    ) -> tuple[int, dict[str, str], bytes]:
        names, prefix = given.get("AlarmNames"), given.get("AlarmNamePrefix", "")
        found = [
            {key: value for key, value in each.items() if key != "Tags"}
            for name, each in self._held.items()
            if (name in names if names else name.startswith(prefix))
        ]
        metric: list[Any] = []
        if "MetricAlarm" in given["AlarmTypes"]:
            client = self._standins.embedded_cloudwatch()
            asked = {**swapped(given, _OURS, _THEIRS), "AlarmTypes": ["MetricAlarm"]}
            metric = swapped(client.describe_alarms(**asked)["MetricAlarms"], _THEIRS, _OURS)
        return codec.told({"CompositeAlarms": found, "MetricAlarms": metric})

    def told(self, event: Mapping[str, Any]) -> None:
        """Take a change of an alarm's state, told and named as the harness does.

        Of what is made of it, the state is made anew.
        """
        name = event["detail"]["alarmName"]
        changes = []
        with self._lock:
            self._states[name] = event["detail"]["state"]["value"]
            for held in self._held.values():
                terms = _TERM.findall(held["AlarmRule"])
                if name not in {child for _, child in terms}:
                    continue
                holds = all(
                    (self._states.get(child) == "ALARM") != bool(negated)
                    for negated, child in terms
                )
                state = "ALARM" if holds else "OK"
                if held["StateValue"] != state:
                    changes.append((held, held["StateValue"], state))
                    held["StateValue"] = state
                    held["StateUpdatedTimestamp"] = self._standins.clock.now()
        for held, former, state in changes:
            self._happened(_event(held, former, state))

    def _passed(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        # As it came, with the host that was signed.
        answer = httpx.post(
            self._standins.house.url + path,
            content=body,
            headers=dict(headers.items()),
            timeout=PATIENCE,
        )
        skipped = {"content-length", "transfer-encoding", "connection", "date", "content-encoding"}
        kinds = {name: value for name, value in answer.headers.items() if name not in skipped}
        return answer.status_code, kinds, answer.content


def swapped(value: Any, one: str, other: str) -> Any:
    """Return a document with another beginning of names in its texts."""
    if isinstance(value, dict):
        return {name: swapped(each, one, other) for name, each in value.items()}
    if isinstance(value, list):
        return [swapped(each, one, other) for each in value]
    return value.replace(one, other) if isinstance(value, str) else value


def as_here(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of the embedded CloudWatch with the names that alarms have here."""
    return dict(swapped(dict(event), _THEIRS, _OURS))


def _codec(path: str, headers: Mapping[str, str]) -> tuple[str, Codec] | None:
    """Return which operation is meant, and in which of CloudWatch's protocols; None: in another."""
    if match := _OPERATION.fullmatch(path):
        return match[1], _CBOR
    service, _, operation = headers.get("X-Amz-Target", "").partition(".")
    return (operation, _JSON) if service == _SERVICE else None


def _event(held: Mapping[str, Any], former: str, state: str) -> dict[str, Any]:
    return {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "resources": [held["AlarmArn"]],
        "detail": {
            "alarmName": held["AlarmName"],
            "state": {"value": state, "reason": held["AlarmRule"]},
            "previousState": {"value": former},
            "configuration": {"alarmRule": held["AlarmRule"]},
        },
    }
