"""What the stream of the main table tells of events."""

import pytest

from parkade.adapters.aws.dynamodb.attributes import encoded
from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.streams import event_of
from parkade.adapters.memory.clock import ManualClock
from parkade.domain.errors import Unreadable
from tests.aws_account import a_table
from tests.builders import NOW, an_event


@pytest.fixture(scope="module")
def stored(aws):
    """An event, and the image of its item as a stream has it."""
    table = a_table(aws)
    event = DynamoHistory(table, ManualClock(NOW)).append(an_event(owner="ann", data={"a": [1]}))
    (item,) = table.scan()
    return event, encoded(item)


def test_an_event_is_told_as_it_was_stored(stored):
    event, image = stored
    assert event_of(image) == event


def test_what_is_no_event_is_none(stored):
    _, image = stored
    assert event_of({**image, "pk": {"S": "lease"}}) is None
    assert event_of({}) is None


@pytest.mark.parametrize("gone", ["kind", "at", "sk"])
def test_a_damaged_event_is_told_to_be_one(stored, gone):
    _, image = stored
    with pytest.raises(Unreadable):
        event_of({name: value for name, value in image.items() if name != gone})
