"""What came of a replay, added up."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.capturedcalls import CapturedCall
from parkade.domain.comparing.answers import Rules
from parkade.domain.comparing.fields import Field
from parkade.domain.comparing.reading import Body
from parkade.domain.replaying.replies import Replayed, Reply, Verdict, judge
from parkade.domain.replaying.spread import Spread
from parkade.domain.replaying.tally import MOST_FIELDS, OTHERS, Tally
from parkade.domain.replaying.worst import KEPT, SHOWN


def a_body(value):
    return Body(json.dumps(value).encode())


def a_reply(value=None, *, status=200, seconds=0.01, trouble=""):
    return Reply(status=status, body=a_body(value), seconds=seconds, trouble=trouble)


def a_replay(before, after, *, baseline=None, event="e1", sent=b"{}"):
    call = CapturedCall(
        event_id=event,
        sent=Body(sent),
        answered=None if before is None else a_body(before),
    )
    candidate = after if isinstance(after, Reply) else a_reply(after)
    return Replayed(call=call, place="x.jsonl:1", candidate=candidate, baseline=baseline)


def the_report(*replays, rules=None):
    tally = Tally()
    for each in replays:
        tally.add(judge(each, rules or Rules()))
    document = tally.document()
    json.dumps(document, allow_nan=False)
    return document


def test_each_request_has_a_verdict():
    failed = a_reply(status=500)
    assert judge(a_replay({"a": 1}, {"a": 1.0})).verdict is Verdict.AGREES
    assert judge(a_replay({"a": 1}, {"a": 2})).verdict is Verdict.DIFFERS
    assert judge(a_replay({"a": 1}, failed)).verdict is Verdict.FAILED
    assert judge(a_replay(None, {"a": 1})).verdict is Verdict.UNCOMPARED
    # Compared with the baseline, not with what was captured.
    assert judge(a_replay(3, 4, baseline=a_reply(4))).verdict is Verdict.AGREES
    assert judge(a_replay(3, 3, baseline=failed)).verdict is Verdict.UNCOMPARED


def test_an_answer_counts_once_for_a_field_however_often_it_differs_there():
    report = the_report(
        a_replay({"r": [1, 2, 3]}, {"r": [2, 3, 4]}), a_replay({"r": [1]}, {"r": [1]})
    )
    assert report["fields"] == [{"path": "$.r[*]", "answers": 1, "share": 0.5}]
    assert report["deviations"][0]["count"] == 4


def test_a_failure_is_no_agreement_and_no_latency():
    none = a_reply(status=0, trouble="broken off")
    report = the_report(
        a_replay(1, 1), a_replay(1, none), a_replay(1, a_reply(status=429, seconds=9))
    )
    agreement = report["agreement"]
    assert (agreement["compared"], agreement["agree"], agreement["failed"]) == (3, 1, 2)
    assert report["candidate"]["statuses"] == {"200": 1, "429": 1, "none": 1}
    assert report["candidate"]["troubles"] == {"broken off": 1}
    assert report["candidate"]["latency_seconds"]["max"] == 0.01


def test_of_nothing_no_share_is_told():
    report = the_report(a_replay(None, 1))
    assert report["agreement"]["share"] is report["agreement"]["low"] is None
    assert the_report()["candidate"]["latency_seconds"] is None


def test_the_worst_come_first_and_no_more_than_somebody_reads():
    few = [a_replay({"a": n}, {"a": n + 1 / (n + 2)}, event=f"few{n}") for n in range(KEPT * 2)]
    many = a_replay([1, 2], [1.1, 2.1], event="many")
    failed = a_replay(1, a_reply(status=500), event="failed")
    examples = the_report(*few, many, failed)["examples"]
    assert len(examples) == KEPT
    assert [each["event_id"] for each in examples[:3]] == ["failed", "many", "few0"]


def test_bodies_are_shown_as_far_as_somebody_reads():
    long = a_replay("x" * 10_000, "ä" * 10_000, sent=b"\xff" * 9_000)
    (example,) = the_report(long)["examples"]
    assert len(example["before"]) == len(example["after"]) == SHOWN
    assert example["input"] == "<9000 bytes of application/json>"


def test_fields_that_are_all_different_do_not_fill_the_memory():
    replays = [a_replay({f"k{n}": 1}, {f"k{n}": 2}) for n in range(MOST_FIELDS * 2)]
    report = the_report(*replays)
    assert len(report["fields"]) == MOST_FIELDS + 1
    assert report["fields"][0] == {"path": OTHERS, "answers": MOST_FIELDS, "share": 0.5}


def test_chosen_fields_that_are_nowhere_are_told():
    report = the_report(a_replay({"a": 1}, {"a": 1}), rules=Rules(fields=(Field.read("b"),)))
    assert report["missing_fields"] == {"$.b": 1}
    assert report["agreement"]["differ"] == 1


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=50))
def test_a_spread_is_right_to_a_tenth(values):
    spread = Spread()
    for value in values:
        spread.add(value)
    told = spread.document()
    ordered = sorted(values)
    for percent in (50, 90, 99):
        exact = ordered[-(-len(values) * percent // 100) - 1]
        assert told[f"p{percent}"] == pytest.approx(exact, rel=0.1, abs=1e-300)
    assert (told["count"], told["max"]) == (len(values), ordered[-1])
