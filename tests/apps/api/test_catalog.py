"""Models and endpoint configs."""

import pytest

from tests.builders import a_recorded_endpoint, an_event

MODEL = {
    "name": "falcon-model",
    "image": "pytorch-inference",
    "data_url": "s3://models/falcon.tar.gz",
    "environment": {"A": "1"},
}
CONFIG = {
    "name": "falcon-config",
    "variants": [
        {
            "name": "blue",
            "model_name": "falcon-model",
            "instance_type": "ml.c5.xlarge",
            "weight": 3,
        },
        {"name": "green", "model_name": "falcon-model", "instance_count": 2},
    ],
}


def made(world):
    world.ok("POST", "/v1/models", json=MODEL, by="admin")
    return world.ok("POST", "/v1/configs", json=CONFIG, by="admin")


def test_a_model_is_created_read_listed_and_deleted(world):
    answer = world.call("POST", "/v1/models", json=MODEL, by="admin")
    assert answer.status_code == 201
    assert answer.json() == {**MODEL, "created_at": "2026-03-01T12:00:00Z"}
    assert world.ok("GET", "/v1/models/falcon-model") == answer.json()
    assert world.ok("GET", "/v1/models") == {
        "models": [answer.json()],
        "next": None,
        "unreadable": {},
    }
    assert world.call("DELETE", "/v1/models/falcon-model", by="admin").status_code == 204
    assert world.error("GET", "/v1/models/falcon-model")[1]["code"] == "model_not_found"


def test_a_config_is_created_read_listed_and_deleted(world):
    created = made(world)
    assert created["variants"] == [
        {
            "name": "blue",
            "model_name": "falcon-model",
            "instance_type": "ml.c5.xlarge",
            "instance_count": 1,
            "weight": 3.0,
        },
        {
            "name": "green",
            "model_name": "falcon-model",
            "instance_type": "ml.c5.xlarge",
            "instance_count": 2,
            "weight": 1.0,
        },
    ]
    assert world.ok("GET", "/v1/configs/falcon-config") == created
    assert world.ok("GET", "/v1/configs") == {
        "configs": [created],
        "next": None,
        "unreadable": {},
    }
    assert world.call("DELETE", "/v1/configs/falcon-config", by="admin").status_code == 204
    assert world.error("GET", "/v1/configs/falcon-config")[1]["code"] == "config_not_found"


def test_a_config_in_use_stays_and_a_model_may_go(world):
    """An endpoint keeps its own copy of its models."""
    made(world)
    world.catalog.put_endpoint(a_recorded_endpoint(), an_event("endpoint.created"))
    status, error = world.error("DELETE", "/v1/configs/falcon-config", by="admin")
    assert (status, error["code"]) == (409, "in_use")
    assert world.call("DELETE", "/v1/models/falcon-model", by="admin").status_code == 204


def test_names_are_taken_once(world):
    made(world)
    for path, form in (("/v1/models", MODEL), ("/v1/configs", CONFIG)):
        status, error = world.error("POST", path, json=form, by="admin")
        assert (status, error["code"]) == (409, "already_exists")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "-"}, "name"),
        ({"name": 5}, "name"),
        ({"image": ""}, "image"),
        ({"image": "nobody-knows"}, "image"),
        ({"data_url": "falcon.tar.gz"}, "data_url"),
        ({"data_url": "s3://models/../etc"}, "data_url"),
        ({"environment": {"1A": "x"}}, "environment"),
        ({"environment": {"A": 1}}, "environment.A"),
        ({"imag": "x"}, "imag"),
    ],
)
def test_a_wrong_model_names_the_field_as_it_is_spelt_here(world, change, field):
    status, error = world.error("POST", "/v1/models", json={**MODEL, **change}, by="admin")
    assert (status, error["code"], error["field"]) == (400, "invalid_input", field)
    assert "ModelDataUrl" not in error["message"]


@pytest.mark.parametrize(
    ("variant", "field"),
    [
        ({"name": "-"}, "variants.name"),
        ({"model_name": "-"}, "variants.model_name"),
        ({"instance_type": "big"}, "variants.instance_type"),
        ({"instance_count": 0}, "variants.instance_count"),
        ({"instance_count": "1"}, "variants.0.instance_count"),
        ({"instance_count": True}, "variants.0.instance_count"),
        ({"weight": -1}, "variants.weight"),
        ({"weight": "1"}, "variants.0.weight"),
        ({"weigth": 1}, "variants.0.weigth"),
        ({"weight": 0}, "variants.weight"),
    ],
)
def test_a_wrong_variant_names_the_field_in_dotted_form(world, variant, field):
    world.ok("POST", "/v1/models", json=MODEL, by="admin")
    form = {"name": "c", "variants": [{"name": "v", "model_name": "falcon-model", **variant}]}
    status, error = world.error("POST", "/v1/configs", json=form, by="admin")
    assert (status, error["code"], error["field"]) == (400, "invalid_input", field)


def test_a_config_needs_variants_and_their_models(world):
    status, error = world.error(
        "POST", "/v1/configs", json={"name": "c", "variants": []}, by="admin"
    )
    assert (status, error["field"]) == (400, "variants")
    status, error = world.error("POST", "/v1/configs", json=CONFIG, by="admin")
    assert (status, error["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("kind", "name"), [("models", "falcon-model"), ("configs", "falcon-config")]
)
def test_a_damaged_record_is_listed_beside_the_others(world, kind, name):
    made(world)
    world.catalog.damage(kind, name, "it is torn")
    listed = world.ok("GET", f"/v1/{kind}")
    assert listed == {kind: [], "next": None, "unreadable": {name: "it is torn"}}
    status, error = world.error("GET", f"/v1/{kind}/{name}")
    assert (status, error["code"]) == (500, "unreadable")
