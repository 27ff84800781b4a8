"""The models of multi-model endpoints."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from parkade.runtime.shelves import Copy, Place
from parkade.runtime.tallies import TargetUse
from parkade.runtime.targetdata import Stored
from tests.builders import NOW, minutes, seconds

PLACE = Place(
    instance_id="0123456789ab",
    endpoint_name="falcon",
    variant_name="blue",
    address="/run/w.sock",
    prefix="s3://models/many",
)


@pytest.fixture
def many(world):
    """An endpoint with one instance, in which `a/b.tar.gz` is loaded."""
    world.add()
    world.run_endpoint()
    stored = Stored(name="n", address="s3://models/many/a/b.tar.gz", etag="e", folder=Path("/f"))
    copy = Copy(
        place=PLACE,
        target="a/b.tar.gz",
        stored=stored,
        loaded_at=NOW,
        used_at=NOW + seconds(5),
        memory=1000,
        in_flight={"gateway-1": 2},
    )
    world.placement.loaded.append(copy)
    shelf = SimpleNamespace(place=PLACE, copies={"a/b.tar.gz": copy}, size=(1000, 1))
    world.placement.instances.append(shelf)
    return world


def used(target="a/b.tar.gz", **changes):
    return TargetUse(
        endpoint_name="falcon",
        variant_name="blue",
        instance_id=PLACE.instance_id,
        target=target,
        **changes,
    )


def test_models_are_listed_with_where_they_are_loaded_and_how_they_are_used(many):
    many.placement.tallies.used(used(invocations=4, hits=3, model_us=400, waiting_us=50))
    many.placement.tallies.used(used("gone.tar.gz", invocations=1, hits=0, waiting_us=7))
    many.services.targets.pin("falcon", "kept.tar.gz", pinned=True, actor="ann")
    answer = many.ok("GET", "/v1/endpoints/falcon/models")
    names = [each["target"] for each in answer["models"]]
    assert names == ["a/b.tar.gz", "gone.tar.gz", "kept.tar.gz"]
    first = answer["models"][0]
    assert first["loaded"] == [
        {
            "instance_id": "0123456789ab",
            "memory_bytes": 1000,
            "loaded_at": "2026-03-01T12:00:00Z",
            "last_used_at": "2026-03-01T12:00:05Z",
            "in_flight": 2,
        }
    ]
    metrics = first["metrics"]
    assert (metrics["hit_ratio"], metrics["model_latency"]) == (0.75, 100)
    assert metrics["model_loading_wait_time"] == 50
    assert [each["pinned"] for each in answer["models"]] == [False, False, True]
    assert answer["instances"] == [
        {
            "id": "0123456789ab",
            "variant_name": "blue",
            "loaded_model_count": 1,
            "memory_bytes": 1000,
        }
    ]


def test_models_are_listed_page_by_page(many):
    for target in ("x", "y", "z"):
        many.placement.tallies.used(used(target, invocations=1))
    found, after = [], ""
    while after is not None:
        page = many.ok("GET", "/v1/endpoints/falcon/models", params={"limit": 2, "after": after})
        found += [each["target"] for each in page["models"]]
        after = page["next"]
    assert found == ["a/b.tar.gz", "x", "y", "z"]


def test_a_model_is_pinned_and_given_a_time_to_live(many):
    path = "/v1/endpoints/falcon/models/a/b.tar.gz"
    assert many.ok("PUT", path, json={"pinned": True})["pinned"]
    changed = many.ok("PUT", path, json={"ttl_minutes": 2.5})
    assert (changed["pinned"], changed["ttl_minutes"]) == (True, 2.5)
    changed = many.ok("PUT", path, json={"pinned": False, "ttl_minutes": None})
    assert (changed["pinned"], changed["ttl_minutes"]) == (False, None)
    assert many.services.targets.all() == ()


def test_a_model_that_nobody_asked_for_can_be_given_a_time_to_live(many):
    path = "/v1/endpoints/falcon/models/new.tar.gz"
    assert many.ok("PUT", path, json={})["loaded"] == []
    assert many.ok("PUT", path, json={"ttl_minutes": 1})["ttl_minutes"] == 1


def test_a_model_is_preloaded_in_each_variant(many):
    many.ok("POST", "/v1/endpoints/falcon/models/a/b.tar.gz/preload")
    (wanted,) = many.placement.wanted
    assert (wanted.endpoint_name, wanted.variant_name, wanted.target) == (
        "falcon",
        "blue",
        "a/b.tar.gz",
    )


def test_an_endpoint_without_instances_for_models_preloads_nothing(world):
    world.add()
    world.run_endpoint()
    status, error = world.error("POST", "/v1/endpoints/falcon/models/a/preload")
    assert (status, error["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("GET", "models", None),
        ("PUT", "models/a", {"pinned": True}),
        ("POST", "models/a/preload", None),
    ],
)
def test_an_unknown_endpoint_is_not_found(world, method, path, form):
    options = {"json": form} if form else {}
    status, error = world.error(method, f"/v1/endpoints/nobody/{path}", **options)
    assert (status, error["code"]) == (404, "endpoint_not_found")


@pytest.mark.parametrize(
    ("target", "form", "field"),
    [
        ("a", {"pinned": "yes"}, "pinned"),
        ("a", {"ttl_minutes": 0}, "ttl_minutes"),
        ("a", {"pined": True}, "pined"),
        ("a//b", {"pinned": True}, "TargetModel"),
    ],
)
def test_a_wrong_form_names_the_field(many, target, form, field):
    status, error = many.error("PUT", f"/v1/endpoints/falcon/models/{target}", json=form)
    assert (status, error["field"]) == (400, field)


def test_pins_outlive_the_endpoint(many):
    many.ok("PUT", "/v1/endpoints/falcon/models/a", json={"pinned": True})
    many.clock.advance(minutes(1000))
    assert [each.target for each in many.services.targets.all()] == ["a"]
