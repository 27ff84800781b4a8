"""What came of a run: counts, quantiles, windows, first failures."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import cases
from parkade.domain.errors import InvalidInput
from parkade.domain.tester.measures import Labels, measured, written
from parkade.domain.tester.quantiles import quantile, share_of
from parkade.domain.tester.report import report
from parkade.domain.tester.shot import Outcome, Reply, Shot, judged

JSON = "application/json"
(CASE,) = cases.read(
    json.dumps([{"id": "a", "input": {"x": 1}, "expected": {"p": 0.5}, "tolerance": 0.1}])
)


def a_shot(at=0.0, milliseconds=10.0, outcome=Outcome.OK, *, case="a", status=200):
    return Shot(
        case=case,
        client=0,
        at=at,
        seconds=milliseconds / 1000,
        outcome=outcome,
        status=status,
        got="" if outcome is Outcome.OK else "got",
        expected="" if outcome is Outcome.OK else "expected",
    )


def judge(status, body=b"", content_type=JSON, trouble=""):
    reply = Reply(status=status, body=body, content_type=content_type, trouble=trouble)
    return judged(CASE, reply, client=1, at=2.0, seconds=0.5)


def test_an_answer_within_the_tolerance_is_ok():
    shot = judge(200, b'{"p": 0.58}')
    assert (shot.outcome, shot.got, shot.at, shot.seconds) == (Outcome.OK, "", 2.0, 0.5)


def test_a_wrong_answer_is_told_with_what_was_expected():
    shot = judge(200, b'{"p": 0.7}')
    assert shot.outcome is Outcome.WRONG
    assert shot.got == '{"p": 0.7}'
    assert shot.expected == '{"p": 0.5}'
    assert "$.p" in shot.difference


@pytest.mark.parametrize("status", [199, 302, 404, 503])
def test_another_status_is_an_error_whatever_the_answer_says(status):
    shot = judge(status, b'{"p": 0.5}')
    assert shot.outcome is Outcome.STATUS
    assert shot.got == f'{status} {{"p": 0.5}}'


def test_no_answer_is_an_error_with_its_trouble():
    shot = judge(0, trouble="no connection: Connection refused")
    assert (shot.outcome, shot.status) == (Outcome.STATUS, 0)
    assert shot.got == "no connection: Connection refused"


def test_a_long_answer_is_cut():
    assert len(judge(200, b'"' + b"x" * 10_000 + b'"').got) == 300


@given(times=st.lists(st.floats(0, 1e4), min_size=1, max_size=200), share=st.floats(0.01, 0.999))
def test_a_quantile_is_the_least_time_that_so_many_do_not_pass(times, share):
    times.sort()
    found = quantile(times, share)
    assert sum(each <= found for each in times) >= share * len(times) - 1e-6
    assert sum(each < found for each in times) < share * len(times) + 1e-6


def test_quantiles_are_exact():
    times = [float(n) for n in range(1, 101)]
    assert [quantile(times, share) for share in (0.5, 0.9, 0.99, 0.07)] == [50, 90, 99, 7]
    assert quantile([3.0], 0.5) == 3.0


@pytest.mark.parametrize("wrong", ["", "99", "p", "p0", "p100", "p-1", "p1.23456", "P99"])
def test_what_is_no_quantile_is_refused(wrong):
    with pytest.raises(InvalidInput):
        share_of(wrong)
    assert share_of("p99.9") == pytest.approx(0.999)


def test_rows_by_case_and_of_all():
    shots = [
        a_shot(0.0, 10),
        a_shot(0.5, 20),
        a_shot(1.0, 1, Outcome.STATUS, case="b", status=503),
        a_shot(1.5, 40, Outcome.WRONG, case="b"),
        a_shot(2.0, 5000, Outcome.STATUS, case="b", status=0),
    ]
    told = report(shots, ["a", "b", "c"], 3.0).written()
    a, b = told["cases"]
    assert (a["case"], a["runs"], a["ok"], a["p50_ms"], a["max_ms"]) == ("a", 2, 2, 10, 20)
    assert (b["runs"], b["ok"], b["status_errors"], b["wrong"]) == (3, 0, 2, 1)
    # What had no answer has no response time.
    assert b["max_ms"] == 40
    assert told["total"]["runs"] == 5
    assert told["unreached"] == ["c"]
    assert not told["passed"]
    assert told["summary"] == "of 5 calls 2 with an error and 1 with a wrong answer"


def test_a_run_that_asked_nothing_did_not_pass():
    told = report([], ["a"], 0.0).written()
    assert not told["passed"]
    assert told["summary"] == "nothing was asked"
    assert told["windows"] == []


def test_a_failure_of_each_case_is_told_before_more_of_one():
    shots = [a_shot(n / 100, outcome=Outcome.WRONG, case="a") for n in range(50)]
    shots += [a_shot(n, outcome=Outcome.WRONG, case=f"b{n}") for n in range(1, 9)]
    found = report(shots, ["a", *(f"b{n}" for n in range(1, 9))], 60.0)
    told = [each.case for each in found.failures]
    assert len(told) == 10
    assert {f"b{n}" for n in range(1, 9)} < set(told)
    assert told.count("a") == 2
    assert [each.at for each in found.failures] == sorted(each.at for each in found.failures)


@given(
    st.lists(
        st.tuples(st.floats(0, 5000), st.sampled_from(list(Outcome))), min_size=1, max_size=100
    )
)
def test_windows_have_every_call_once(given_shots):
    shots = [a_shot(at, outcome=outcome) for at, outcome in given_shots]
    found = report(shots, ["a"], 5000.0)
    assert len(found.windows) <= 121
    assert sum(each.runs for each in found.windows) == len(shots)
    assert sum(each.failures for each in found.windows) == sum(not each.ok for each in shots)
    assert [each.at for each in found.windows] == [
        n * found.window for n in range(len(found.windows))
    ]


def test_measures_are_by_minute_and_every_call_is_in_two_pairs():
    shots = [a_shot(1.0, 10), a_shot(2.0, 10.004), a_shot(70.0, 30, Outcome.WRONG)]
    shots.append(a_shot(71.0, 2, Outcome.STATUS, status=503))
    shots.append(a_shot(72.0, 9000, Outcome.STATUS, status=0))
    found = [(each.name, dict(each.counts), each.ago) for each in measured(shots, 80.0)]
    assert found == [
        ("ResponseTime", {10.0: 2}, 78.0),
        ("StatusSuccess", {2.0: 1}, 78.0),
        ("StatusError", {0.0: 1}, 78.0),
        ("TestSuccess", {2.0: 1}, 78.0),
        ("TestFail", {0.0: 1}, 78.0),
        ("ResponseTime", {30.0: 1, 2.0: 1}, 8.0),
        ("StatusSuccess", {1.0: 1}, 8.0),
        ("StatusError", {2.0: 1}, 8.0),
        ("TestSuccess", {0.0: 1}, 8.0),
        ("TestFail", {3.0: 1}, 8.0),
    ]


def test_a_measure_is_written_as_the_api_takes_it():
    first = measured([a_shot(1.0, 10)], 1.5)[0]
    assert written(first) == {
        "name": "ResponseTime",
        "unit": "Milliseconds",
        "values": [10.0],
        "counts": [1],
        "ago_seconds": 0.5,
    }


def test_labels_are_dimensions():
    labels = Labels(project="Text", stage="Demo", by_route=True)
    assert labels.dimensions == {"Project": "Text", "Stage": "Demo", "Type": "Route"}
    assert Labels().dimensions == {"Project": "parkade", "Stage": "prod", "Type": "Endpoint"}
    with pytest.raises(InvalidInput):
        Labels(project="ü")
