"""Files of invocations: every form that is read, and every fault that is named."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.errors import InvalidInput
from parkade.domain.simulation import files
from parkade.domain.simulation.traffic import Burst, Traffic
from tests.builders import minutes, seconds
from tests.domain.simulation.traffics import bursts


def read(*lines):
    return {name: list(each.bursts) for name, each in files.read(lines, name="calls.csv").items()}


AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-02T08:15:00Z,falcon,12",
        "2026-03-02T09:15+01:00, falcon, 12",
        "2026-03-02 08:15:00,falcon,12,",
        "1772439300,falcon,12",
        '{"timestamp": "2026-03-02T08:15:00Z", "endpoint": "falcon", "count": 12}',
        '{"timestamp": 1772439300, "endpoint": "falcon", "count": 12}',
    ],
)
def test_the_same_requests_in_every_form(line):
    assert read(line) == {"falcon": [Burst(at=AT, count=12)]}


def test_a_heading_orders_the_columns_and_empty_lines_are_passed_over():
    lines = ("\ufeffEndpoint,seconds,timestamp", "", "falcon,0.5,1772439300", "")
    assert read(*lines) == {"falcon": [Burst(at=AT, lasting=seconds(0.5))]}


def test_what_is_not_said_is_one_request_and_its_minute():
    assert read("1772439300,falcon") == {"falcon": [Burst(at=AT, count=1, lasting=minutes(1))]}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "has no invocations.*a line is like"),
        (["timestamp,endpoint"], "has no invocations"),
        (["yesterday,falcon"], "line 1: timestamp 'yesterday' is not an instant"),
        (["1772439300,falcon", "1772439360,fal con"], "line 2: .*fal con"),
        (["1772439300"], "line 1: endpoint is missing"),
        ([",falcon"], "line 1: timestamp is missing"),
        (["1772439300,falcon,1.5"], "line 1: count '1.5'"),
        (["1772439300,falcon,-1"], "line 1: count '-1'"),
        (["1772439300,falcon,many"], "line 1: count 'many'"),
        (["1772439300,falcon,1,-1"], "line 1: seconds '-1'"),
        (["1772439300,falcon,1,inf"], "line 1: seconds 'inf'"),
        (["1772439300,falcon,1,1,1"], "line 1: it has 5 values for 4 columns"),
        (["timestamp,endpoint,cuont"], "line 1: unknown column 'cuont'.*count"),
        (["timestamp,endpoint,endpoint"], "line 1: .*each column once"),
        (['{"timestamp": 1, "endpoint": "a", "cuont": 2}'], "line 1: unknown column 'cuont'"),
        (['{"timestamp": true, "endpoint": "a"}'], "line 1: timestamp True"),
        (['{"timestamp": 1, '], "line 1: it is not JSON"),
        (['{"timestamp": 1e300, "endpoint": "a"}'], "line 1: timestamp 1e"),
        (['1772439300,"falcon'], "line 1: it is not CSV"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(lines, told):
    with pytest.raises(InvalidInput) as refused:
        read(*lines)
    assert re.search(told, f"{refused.value.message}; {refused.value.hint}")
    assert refused.value.message.startswith("calls.csv")


@given(st.dictionaries(st.sampled_from(["ant", "bee"]), st.lists(bursts, min_size=1), min_size=1))
def test_what_is_written_is_read_again(drawn):
    traffic = {name: Traffic(each) for name, each in drawn.items()}
    again = files.read(list(files.write(traffic)), name="again")
    for name, each in traffic.items():
        assert sorted(each.bursts, key=repr) == sorted(again[name].bursts, key=repr)
