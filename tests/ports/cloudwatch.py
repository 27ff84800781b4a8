"""CloudWatch under contracts that were made for stores of our own: what it does not hold, and why."""

from types import SimpleNamespace

import pytest

from parkade.adapters.aws.cloudwatch.alarms import CloudWatchAlarms
from parkade.adapters.memory.events import MemoryHistory

_TIDIES = "it tidies by itself, with nobody's help, and forgets by its own rules"
_DAMAGE = "what it keeps cannot be damaged from here; what it does not tell: tests/adapters/aws"
_INSTANTS = "its instants, and with them versions, are its own: tests/adapters/aws/test_alarms.py"
#: Clauses that it does not hold, or that nobody can see it hold.
UNHELD = {
    "test_metrics": {
        "test_samples_of_one_period_add_up": "it tells percentiles, and no histogram",
        "test_fine_points_are_seen_fine_and_in_their_minutes": "moto tells minutes as if fine",
        "test_tidying_changes_nothing_that_can_be_read": _TIDIES,
        "test_fine_points_become_minutes_after_some_hours": _TIDIES,
        "test_minutes_become_hours_after_some_days_and_those_are_gone_after_months": _TIDIES,
        "test_minutes_that_come_too_late_are_hours": "it refuses what is older than two weeks",
        "test_nothing_is_missing_or_there_twice_between_two_slices": _TIDIES,
        "test_a_series_that_was_forgotten_begins_anew": _TIDIES,
        "test_damage_harms_one_series_and_period_alone": _DAMAGE,
        "test_a_damaged_fine_point_is_left_alone": _DAMAGE,
        "test_damage_is_forgotten_when_it_is_too_old": _DAMAGE,
        "test_it_is_read_and_tidied_while_it_is_written_to": "it shows a request in parts",
        "test_whatever_happens_in_whichever_order_all_that_was_added_is_there": _TIDIES,
        "test_settings_say_how_long_points_are_kept": _TIDIES,
    },
    "test_alarms": {
        "test_every_field_comes_back": _INSTANTS,
        "test_put_stores_over_the_version_that_was_read_and_no_other": _INSTANTS,
        "test_a_damaged_alarm_hides_no_other_and_is_mended_by_putting_it_anew": _DAMAGE,
        "test_a_damaged_alarm_can_be_removed": _DAMAGE,
    },
}


def require_held(node):
    """Skip a test of what CloudWatch does not hold, saying why."""
    of = UNHELD[node.module.__name__.rpartition(".")[2]]
    if why := of.get(node.originalname):
        pytest.skip(f"CloudWatch: {why}")


def alarms(account):
    """A store of alarms, and its history."""
    history = MemoryHistory()
    return SimpleNamespace(alarms=CloudWatchAlarms(account, history), history=history)
