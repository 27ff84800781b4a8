"""What the audit of an account takes for damage."""

from parkade.apps.cloud import auditing
from parkade.ports.catalog import Listing
from tests.builders import an_alarm


def test_alarms_of_kinds_that_parkade_has_no_words_for_are_not_damaged():
    listing = Listing((an_alarm(),), {"band": "it compares by LessThanLowerThreshold"})
    assert auditing.known(listing) == Listing((an_alarm(),), {})
