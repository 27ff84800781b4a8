"""Pauses before a step is tried again."""

import pytest

from parkade.domain.deploy.retries import RETRIES, TEMPORARY
from parkade.domain.errors import (
    AlreadyExists,
    BudgetExceeded,
    ConfigNotFound,
    EndpointBusy,
    InUse,
    InvalidInput,
    ResourceLimitExceeded,
    StartFailed,
    Throttled,
    Unavailable,
    Unreadable,
)
from tests.builders import minutes, seconds


def test_pauses_double_and_end():
    error = Unavailable("not now")
    pauses = [RETRIES.pause(number, error) for number in range(8)]
    assert pauses == [*map(seconds, (2, 4, 8, 16, 32, 60)), None, None]


def test_what_the_error_asks_for_is_granted():
    assert RETRIES.pause(0, Throttled("slow", retry_after=minutes(2))) == minutes(2)
    assert RETRIES.pause(3, Throttled("slow", retry_after=seconds(1))) == seconds(16)
    assert RETRIES.pause(0, EndpointBusy("it is Updating")) == seconds(2)


@pytest.mark.parametrize(
    "kind",
    [
        AlreadyExists,
        BudgetExceeded,
        ConfigNotFound,
        InUse,
        InvalidInput,
        ResourceLimitExceeded,
        StartFailed,
        Unreadable,
    ],
)
def test_what_no_time_mends_is_not_tried_again(kind):
    assert not issubclass(kind, TEMPORARY)
