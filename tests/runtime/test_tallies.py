"""Counts of target models, and by how much they have grown."""

from __future__ import annotations

from parkade.runtime.tallies import Tallies, Tally, TargetUse

KEY = ("e", "v", "m.tar.gz")
USE = TargetUse(
    endpoint_name="e", variant_name="v", instance_id="i", target="m.tar.gz", invocations=3, hits=2
)


def test_news_are_what_has_come_since_they_were_last_taken() -> None:
    tallies = Tallies()
    assert tallies.take_news() == {}
    tallies.used(USE)
    tallies.of(*KEY).loads += 1
    assert tallies.take_news() == {KEY: Tally(invocations=3, hits=2, loads=1)}
    assert tallies.take_news() == {}
    tallies.used(USE)
    assert tallies.take_news() == {KEY: Tally(invocations=3, hits=2)}
    assert tallies.of(*KEY) == Tally(invocations=6, hits=4, loads=1)


def test_what_was_only_looked_at_is_no_news() -> None:
    tallies = Tallies()
    tallies.of(*KEY)
    assert tallies.take_news() == {}
