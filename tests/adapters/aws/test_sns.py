"""Topics and notices on SNS, as a queue and a filter get them."""

import json

import pytest

from parkade.adapters.aws.sns import SnsNotices, SnsTopics
from parkade.domain.actions import NoticeKind
from parkade.domain.errors import Forbidden, InvalidInput, Throttled, Unavailable
from parkade.ports.notices import Notice
from tests.aws_account import REGION
from tests.builders import NOW, minutes
from tests.queues import Queue
from tests.stubbed import stubbed

ARN = f"arn:aws:sns:{REGION}:123456789012:results"


def a_notice(text="it stops", **changes):
    defaults = {"at": NOW, "kind": NoticeKind.EXPIRY, "endpoint_name": "falcon", "owner": "ann"}
    return Notice(text=text, **{**defaults, **changes})


def test_a_message_reaches_the_topics_queue(aws):
    queue = Queue(aws)
    SnsTopics(aws).publish(queue.arn, "text ü")
    [told] = queue.take()
    assert (told["Message"], told["TopicArn"]) == ("text ü", queue.arn)


@pytest.mark.parametrize("topic", ["", "results", "arn:aws:sns:eu-west-1:1:a b", ARN])
def test_what_is_no_topic_is_refused(aws, topic):
    with pytest.raises(InvalidInput, match="topic"):
        SnsTopics(aws).publish(topic, "text")


@pytest.mark.parametrize("code", ["Throttled", "AuthorizationError", "InternalError"])
def test_a_topic_that_takes_nothing_now_is_unavailable(aws, code):
    with stubbed(aws, "sns") as (stub, _):
        stub.add_client_error("publish", code, "no")
        with pytest.raises(Unavailable, match=code):
            SnsTopics(aws).publish(ARN, "text")


def test_a_notice_is_json_for_programs_with_attributes_to_filter_by(aws):
    queue = Queue(aws)
    SnsNotices(aws, queue.arn, lambda notice: f"http://x/{notice.endpoint_name}").tell(
        a_notice(expires_at=NOW + minutes(10), project="team")
    )
    [told] = queue.take()
    assert told["Subject"] == "Parkade: expiry of falcon"
    assert json.loads(told["Message"]) == {
        "at": "2026-03-01T12:00:00Z", "kind": "expiry", "endpoint_name": "falcon", "owner": "ann",
        "project": "team", "text": "it stops", "expires_at": "2026-03-01T12:10:00Z",
        "link": "http://x/falcon",
    }  # fmt: skip
    assert {name: each["Value"] for name, each in told["MessageAttributes"].items()} == {
        "kind": "expiry", "endpoint": "falcon", "owner": "ann", "project": "team",
    }  # fmt: skip


def test_a_subscription_gets_what_it_filters_by_and_no_more(aws):
    queue = Queue(aws, {"FilterPolicy": json.dumps({"kind": ["budget"], "owner": ["ann"]})})
    notices = SnsNotices(aws, queue.arn)
    notices.tell(a_notice("1"))
    notices.tell(a_notice("2", kind=NoticeKind.BUDGET, owner=""))
    notices.tell(a_notice("3", kind=NoticeKind.BUDGET))
    assert [json.loads(each["Message"])["text"] for each in queue.take()] == ["3"]


def published(account, notice, topic=ARN, **options):
    """What SNS is asked for by a notice."""
    with stubbed(account, "sns") as (stub, asked):
        stub.add_response("publish", {"MessageId": "1"})
        SnsNotices(account, topic, **options).tell(notice)
    [request] = asked
    return request


def test_a_notice_is_a_text_for_people(aws):
    request = published(
        aws,
        a_notice(expires_at=NOW + minutes(10)),
        link=lambda _: "http://x/",
    )
    assert json.loads(request["Message"])["default"] == (
        "it stops\n\nIt runs until 2026-03-01T12:10:00Z.\n\nMore time: http://x/"
    )


def test_subjects_and_texts_are_what_sns_takes(aws):
    request = published(
        aws,
        a_notice("ü" * 300_000, endpoint_name="", owner="", project="grün\n" * 40),
    )
    assert request["Subject"].startswith("Parkade: expiry of gr?n?gr?n?")
    assert len(request["Subject"]) == 100
    assert len(request["Message"].encode()) < 256 * 1024
    assert set(request["MessageAttributes"]) == {"kind", "project"}


def test_a_topic_that_keeps_the_order_keeps_it_for_each_endpoint(aws):
    assert published(aws, a_notice(), topic=f"{ARN}.fifo")["MessageGroupId"] == "falcon"


def test_a_fifo_topic_takes_notices(aws):
    queue = Queue(aws, fifo=True)
    SnsNotices(aws, queue.arn).tell(a_notice())
    assert len(queue.take()) == 1


@pytest.mark.parametrize(("code", "error"), [("Throttling", Throttled), ("AuthorizationError", Forbidden)])  # fmt: skip
def test_a_notice_that_cannot_be_kept_is_an_error(aws, code, error):
    with stubbed(aws, "sns") as (stub, _):
        stub.add_client_error("publish", code, "no")
        with pytest.raises(error, match=code):
            SnsNotices(aws, ARN).tell(a_notice())
