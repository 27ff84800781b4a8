"""Rules, schedules and streams: what calls functions and machines by itself.

Which events a rule is about, moto says; targets get what the rule says, transformed as it says. Schedules are fired by the tests' clock once they are armed. Records of a
table's stream reach the functions that are mapped to it, filtered, in order and tried again.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.aws.mapping import found_by
from tests.aws.template import Unresolved
from tests.aws.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from tests.aws.clock import SetClock, Timer
    from tests.aws.runtime_api import Function
    from tests.aws.template import Resource

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((.+)\)")


def following(expression: str, after: datetime) -> datetime:
    """Return when a schedule is due next."""
    if match := _RATE.fullmatch(expression):
        return after + int(match[1]) * timedelta(**{f"{match[2]}s": 1})
    if (match := _CRON.fullmatch(expression)) is None:
        raise Unresolved(f"{expression} is no schedule that is known here")
    minutes, hours, days, months, weekdays, years = match[1].split()
    if {days, weekdays} - {"*", "?"} or {months, years} != {"*"}:
        raise Unresolved(f"{expression}: schedules of certain days are not fired here")
    at = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while not (_fits(minutes, at.minute) and _fits(hours, at.hour)):
        at += timedelta(minutes=1)
    return at


def _fits(field: str, value: int) -> bool:
    if field == "*":
        return True
    if "/" in field:
        start, step = field.split("/")
        return value >= int(start) and (value - int(start)) % int(step) == 0
    return value in {int(each) for each in field.split(",")}


def transformed(target: Mapping[str, Any], event: Mapping[str, Any]) -> Any:
    """Return what a target gets of an event."""
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        return found_by(target["InputPath"], dict(event))
    if "InputTransformer" not in target:
        return dict(event)
    given = target["InputTransformer"]
    values = {
        name: found_by(path, dict(event)) for name, path in given.get("InputPathsMap", {}).items()
    }

    def put(match: re.Match[str]) -> str:
        name = match[2]
        value = dict(event) if name == "aws.events.event.json" else values.get(name)
        if match[1] and match[3]:  # within quotes: as text
            return json.dumps(value if isinstance(value, str) else json.dumps(value))
        return json.dumps(value)

    return json.loads(re.sub(r'(")?<([\w.]+)>(")?', put, given["InputTemplate"]))


def is_about(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Tell whether a pattern is about an event. What is no pattern raises moto's own error."""
    from moto.events.models import EventPattern, EventPatternParser

    text = json.dumps(pattern)
    plain = json.loads(json.dumps(event, default=str))
    return bool(EventPattern(text, EventPatternParser(text).parse()).matches_event(plain))


class Rules:
    """The rules of an assembly."""

    def __init__(
        self,
        rules: list[Resource],
        clock: SetClock,
        give: Callable[[Mapping[str, Any], Any], None],
    ) -> None:
        """`give` hands a target what it gets."""
        self._rules = rules
        self._clock = clock
        self._give = give
        self._armed: dict[str, Timer] = {}
        #: Everything that happened, with the rules that it was for.
        self.seen: list[tuple[dict[str, Any], list[str]]] = []

    def happened(self, event: Mapping[str, Any], bus: str, account: str, region: str) -> None:
        whole = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "account": account,
            "region": region,
            "time": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resources": [],
            **event,
        }
        names = []
        for rule in self._rules:
            properties = rule.properties
            pattern = properties.get("EventPattern")
            own = properties.get("EventBusName", "default").rsplit("/", 1)[-1]
            if pattern is None or own != bus.rsplit("/", 1)[-1]:
                continue
            if properties.get("State", "ENABLED") == "ENABLED" and is_about(pattern, whole):
                names.append(rule.id)
                self._to_targets(rule, whole)
        self.seen.append((whole, names))

    def named(self, part: str) -> Resource:
        """Return the one rule with a schedule that has this in its path."""
        (found,) = [
            each
            for each in self._rules
            if part in each.path and "ScheduleExpression" in each.properties
        ]
        return found

    def fire(self, rule: Resource) -> None:
        """Have a schedule be due now."""
        now = self._clock.now()
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": rule.stack.assembly.account,
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": rule.stack.assembly.region,
            "resources": [rule.get("Arn")],
            "detail": {},
        }
        self._to_targets(rule, event)

    def arm(self, rule: Resource) -> None:
        """Have a schedule be fired by the clock from now on."""
        due = following(rule.properties["ScheduleExpression"], self._clock.now())

        def fire() -> None:
            self.fire(rule)
            self.arm(rule)

        self._armed[rule.id] = self._clock.at(due, fire)

    def disarm(self) -> None:
        for each in self._armed.values():
            each.cancel()
        self._armed.clear()

    def _to_targets(self, rule: Resource, event: Mapping[str, Any]) -> None:
        for target in rule.properties.get("Targets", ()):
            self._give(target, transformed(target, event))


class Stream:
    """Takes what is written to a table to the function that is mapped to its stream."""

    def __init__(
        self,
        properties: Mapping[str, Any],
        function: Function,
        client: Any,
    ) -> None:
        self._properties = properties
        self._function = function
        self._client = client
        self._open = threading.Event()
        self._looked = threading.Condition()
        self._looks = 0
        #: Batches that failed to the end.
        self.lost: list[Any] = []
        arn = properties["EventSourceArn"]
        shards = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._at = client.get_shard_iterator(
            StreamArn=arn, ShardId=shards[0]["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def settle(self) -> None:
        """Return once all that was written until now has been handed over."""
        with self._looked:
            meant = self._looks + 2
            assert self._looked.wait_for(lambda: self._looks >= meant, PATIENCE)

    def close(self) -> None:
        self._open.set()
        self._thread.join()

    def _run(self) -> None:
        patterns = [
            json.loads(each["Pattern"])
            for each in self._properties.get("FilterCriteria", {}).get("Filters", ())
        ]
        while not self._open.wait(0.05):
            answer = self._client.get_records(ShardIterator=self._at, Limit=100)
            self._at = answer["NextShardIterator"]
            arn = self._properties["EventSourceArn"]
            records = [_record(each, arn) for each in answer["Records"]]
            wanted = [
                each
                for each in records
                if not patterns or any(is_about(pattern, each) for pattern in patterns)
            ]
            if wanted:
                self._hand_over(wanted)
            with self._looked:
                self._looks += 1
                self._looked.notify_all()

    def _hand_over(self, records: list[dict[str, Any]]) -> None:
        for _ in range(1 + min(3, int(self._properties.get("MaximumRetryAttempts", 3)))):
            answer = self._function.invoke({"Records": records})
            if not answer.failed:
                told = answer.document or {}
                failures = {each["itemIdentifier"] for each in told.get("batchItemFailures", ())}
                if not failures:
                    return
                numbers = [each["dynamodb"]["SequenceNumber"] for each in records]
                records = records[min(numbers.index(each) for each in failures) :]
        self.lost.append(records)


def _record(raw: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """Return a record as Lambda gives it: instants as numbers, bytes as base64."""
    plain = json.loads(json.dumps(raw, default=_plain))
    return {**plain, "eventSourceARN": arn}


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value.timestamp()
