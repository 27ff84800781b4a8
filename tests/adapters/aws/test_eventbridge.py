"""Events on a bus: as a rule's queue gets them, and where EventBridge takes some and not others."""

import json

import pytest

from parkade.adapters.aws.eventbridge import BYTES, EventBus
from parkade.domain.event import document
from parkade.domain.eventbridge import Origin
from tests.aws_account import REGION, unique
from tests.builders import NOW, an_event
from tests.stubbed import stubbed

ORIGIN = Origin(account="123456789012", region=REGION, source_id="")


def events(number, **changes):
    return [an_event(number=each, endpoint_name="falcon", **changes) for each in range(number)]


@pytest.fixture
def told(aws):
    """An account whose EventBridge answers what a test says, and what it was asked for."""
    with stubbed(aws, "events") as (stub, asked):
        yield aws, stub, asked


def taken(number):
    return {"FailedEntryCount": 0, "Entries": [{"EventId": str(each)} for each in range(number)]}


def partly(*codes):
    entries = [{"ErrorCode": each, "ErrorMessage": "no"} if each else {"EventId": "1"} for each in codes]  # fmt: skip
    return {"FailedEntryCount": sum(map(bool, codes)), "Entries": entries}


def numbers(asked):
    """Return the numbers of the events in each call."""
    return [[json.loads(each["Detail"])["number"] for each in call["Entries"]] for call in asked]


def test_a_rule_on_the_bus_gets_parkades_own_shape(aws):
    bus = unique("bus")
    client = aws.client("events")
    client.create_event_bus(Name=bus)
    client.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": ["parkade"]}')
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:{url.rpartition('/')[2]}"
    client.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
    event = an_event("lease.extended", number=7, endpoint_name="falcon", owner="ann")
    assert EventBus(aws, bus).tell([event]) == ()
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    got = json.loads(message["Body"])
    assert got["detail-type"] == "Parkade Lease Extended"
    assert got["source"] == "parkade"
    assert got["resources"] == [f"arn:aws:sagemaker:{REGION}:123456789012:endpoint/falcon"]
    assert got["detail"] == document(event)
    assert got["time"] == f"{NOW:%Y-%m-%dT%H:%M:%SZ}"


def test_ten_events_are_sent_at_once(told):
    account, stub, asked = told
    for number in (10, 10, 3):
        stub.add_response("put_events", taken(number))
    assert EventBus(account, "bus", origin=ORIGIN).tell(events(23)) == ()
    assert [len(each) for each in numbers(asked)] == [10, 10, 3]
    assert [number for batch in numbers(asked) for number in batch] == list(range(23))


def test_large_events_go_in_calls_of_their_own_and_too_large_ones_not_at_all(told):
    account, stub, asked = told
    for number in (2, 1):
        stub.add_response("put_events", taken(number))
    large = [an_event(number=n, reason="x" * 100_000) for n in range(3)]
    huge = an_event(number=9, reason="ü" * (BYTES // 2))
    (untold,) = EventBus(account, "bus", origin=ORIGIN).tell([*large, huge])
    assert numbers(asked) == [[0, 1], [2]]
    assert (untold.event, untold.final) == (huge, True)
    assert str(BYTES) in untold.why


def test_what_was_not_taken_is_sent_again_and_nothing_else(told):
    account, stub, asked = told
    stub.add_response("put_events", partly("ThrottlingException", "", "InternalFailure", ""))
    stub.add_response("put_events", partly("", "ThrottlingException"))
    stub.add_response("put_events", taken(1))
    assert EventBus(account, "bus", origin=ORIGIN, pause=0.001).tell(events(4)) == ()
    assert numbers(asked) == [[0, 1, 2, 3], [0, 2], [2]]


def test_what_is_never_taken_is_told(told):
    account, stub, asked = told
    stub.add_response("put_events", partly("MalformedDetail", "ThrottlingException"))
    for _ in range(3):
        stub.add_response("put_events", partly("ThrottlingException"))
    refused, left = EventBus(account, "bus", origin=ORIGIN, pause=0.001).tell(events(2))
    assert (refused.event.number, refused.final) == (0, True)
    assert "'bus': MalformedDetail: no" in refused.why
    assert (left.event.number, left.final) == (1, False)
    assert "ThrottlingException" in left.why
    assert len(asked) == 4


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_a_call_that_fails_tells_of_its_events_and_the_next_is_made(told, code):
    account, stub, _ = told
    stub.add_client_error("put_events", code, "no")
    stub.add_response("put_events", taken(2))
    untold = EventBus(account, "bus", origin=ORIGIN).tell(events(12))
    assert [each.event.number for each in untold] == list(range(10))
    assert all(code in each.why and not each.final for each in untold)
