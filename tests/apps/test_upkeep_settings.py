"""`maintain`: every value that is taken makes rules; every other one is refused by its name."""

import pytest

from parkade.apps.parts.upkeep import opting
from parkade.apps.serverfile import read_server_file
from parkade.domain.errors import InvalidInput
from parkade.domain.idle import IdleRules
from parkade.domain.watching import Watched
from tests.builders import minutes


def read(folder, text):
    (folder / "server.yaml").write_text(f"maintain: {{{text}}}\n")
    return read_server_file(folder / "server.yaml")


def test_the_defaults_are_a_grace_and_three_windows_of_five_minutes_by_tag():
    found = opting(read_server_file(None))
    assert (found.watched, found.rules) == (Watched.TAGGED, IdleRules())
    assert (found.tag_key, found.tag_value) == ("auto-maintain", "true")


def test_all_of_it_can_be_set(tmp_path):
    found = opting(
        read(
            tmp_path,
            "watch: all, tag_key: 'team:stop', tag_value: idle, grace_minutes: 0, window_minutes: "
            "525600, notice_after: null, stop_after: 10000, delete_after_hours: 2",
        )
    )
    assert (found.watched, found.tag_key, found.tag_value) == (Watched.ALL, "team:stop", "idle")
    assert found.rules == IdleRules(
        grace=minutes(0),
        window=minutes(525_600),
        notice_after=None,
        stop_after=10_000,
        delete_after=minutes(120),
    )


@pytest.mark.parametrize(
    "text",
    [
        "watch: some",
        "tag_key: ''",
        "tag_key: 'a;b'",
        "grace_minutes: -1",
        "grace_minutes: 525601",
        "grace_minutes: .inf",
        "window_minutes: 0.5",
        "window_minutes: .nan",
        "notice_after: 0",
        "stop_after: 10001",
        "stop_after: 1.5",
        "delete_after_hours: 8761",
        "snooze_minutes: 0",
        "undo_days: 366",
    ],
)
def test_what_makes_no_rules_is_refused_by_name(tmp_path, text):
    with pytest.raises(InvalidInput, match="maintain." + text.split(":")[0]):
        read(tmp_path, text)
