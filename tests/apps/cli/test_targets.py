"""`parkade models ENDPOINT`."""

import pytest

from tests.apps.api.test_targets import many, used  # noqa: F401  the fixture


@pytest.fixture
def world(desk):
    return desk.world


@pytest.fixture
def falcon(desk, many):  # noqa: F811
    return desk


def test_models_are_shown_with_where_they_are_and_how_they_are_used(falcon):
    falcon.world.placement.tallies.used(used(invocations=4, hits=3))
    shown = falcon.ok("models", "falcon")
    for text in ("a/b.tar.gz", "0123456789ab", "1.0 kB", "75%"):
        assert text in shown
    told = falcon.json("models", "falcon")
    assert [each["target"] for each in told["models"]] == ["a/b.tar.gz"]


def test_models_are_pinned_preloaded_and_given_a_time_to_live(falcon):
    shown = falcon.ok(
        "models", "falcon", "--pin", "a/b.tar.gz", "--ttl", "c=2.5", "--preload", "a/b.tar.gz"
    )
    assert "pinned" in shown
    assert "2.5 min idle" in shown
    assert [each.target for each in falcon.world.placement.wanted] == ["a/b.tar.gz"]
    falcon.ok("models", "falcon", "--unpin", "a/b.tar.gz", "--ttl", "c=none")
    assert falcon.world.services.targets.all() == ()


@pytest.mark.parametrize("text", ["a", "a=x", "=3"])
def test_a_time_to_live_that_is_none_is_refused(falcon, text):
    assert "TargetModel" in falcon.error("models", "falcon", "--ttl", text) or text != "=3"


def test_an_unknown_endpoint_is_told(falcon):
    assert "falcn" in falcon.error("models", "falcn")


def test_an_endpoint_without_models_is_told(desk):
    desk.world.add()
    desk.world.run_endpoint()
    assert "first request" in desk.run("models", "falcon").output
