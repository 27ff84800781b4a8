"""Models and endpoint configs go together with what uses them."""

import pytest

from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.domain.errors import (
    AlreadyExists,
    ConfigNotFound,
    InUse,
    InvalidInput,
    ModelNotFound,
)
from parkade.ports.events import EventQuery
from parkade.runtime.catalog import Catalog
from parkade.runtime.rules import HostRules
from tests.builders import (
    NOW,
    a_blueprint,
    a_config,
    a_container,
    a_model,
    a_recorded_endpoint,
    a_variant,
    an_event,
)

MODEL = a_model(image="pytorch-inference")


@pytest.fixture
def history():
    return MemoryHistory()


@pytest.fixture
def store(history):
    return MemoryCatalogStore(history)


@pytest.fixture
def catalog(store):
    return Catalog(store, ManualClock(NOW), HostRules, {"script"})


def test_every_change_is_told_with_its_actor(catalog, history):
    catalog.create_model(MODEL, "ann")
    catalog.create_config(a_config(), "ann")
    catalog.delete_config("falcon-config", "bob")
    catalog.delete_model("falcon-model", "bob")
    told = [(e.kind, e.actor, e.data["name"], e.at) for e in history.read(EventQuery())]
    assert told == [
        ("model.created", "ann", "falcon-model", NOW),
        ("config.created", "ann", "falcon-config", NOW),
        ("config.deleted", "bob", "falcon-config", NOW),
        ("model.deleted", "bob", "falcon-model", NOW),
    ]
    assert catalog.models().records == catalog.configs().records == ()


def test_names_are_taken_once(catalog):
    catalog.create_model(MODEL, "ann")
    catalog.create_config(a_config(), "ann")
    with pytest.raises(AlreadyExists):
        catalog.create_model(MODEL, "ann")
    with pytest.raises(AlreadyExists):
        catalog.create_config(a_config(), "ann")
    assert catalog.model("falcon-model") == MODEL
    assert catalog.config("falcon-config") == a_config()


def test_what_is_not_there_is_not_found(catalog):
    with pytest.raises(ModelNotFound):
        catalog.delete_model("nonesuch", "ann")
    with pytest.raises(ConfigNotFound):
        catalog.delete_config("nonesuch", "ann")
    with pytest.raises(ModelNotFound, match="falcon-model"):
        catalog.create_config(a_config(), "ann")
    assert catalog.configs().records == ()


def test_a_model_whose_image_nobody_plays_is_refused_at_once(catalog):
    with pytest.raises(InvalidInput, match="no container is known"):
        catalog.create_model(a_model(image="nginx"), "ann")
    assert catalog.models().records == ()


def test_a_config_is_kept_while_an_endpoint_runs_it_or_is_to_run_it(catalog, store):
    catalog.create_model(MODEL, "ann")
    for name in ("present", "coming", "other"):
        catalog.create_config(a_config(name), "ann")
    coming = a_blueprint(a_config("coming"))
    store.put_endpoint(
        a_recorded_endpoint(config_name="present", target=coming, target_generation=2), an_event()
    )
    for name in ("present", "coming"):
        with pytest.raises(InUse, match=f"endpoint config '{name}' is in use by"):
            catalog.delete_config(name, "ann")
    catalog.delete_config("other", "ann")


def test_a_model_can_be_deleted_while_an_endpoint_runs_it(catalog, store):
    catalog.create_model(MODEL, "ann")
    store.put_endpoint(a_recorded_endpoint(), an_event())
    catalog.delete_model("falcon-model", "ann")
    assert catalog.models().records == ()


def test_a_config_that_an_endpoint_which_cannot_be_read_may_use_is_kept(catalog, store):
    catalog.create_model(MODEL, "ann")
    catalog.create_config(a_config(), "ann")
    store.put_endpoint(a_recorded_endpoint("flan", config_name="other"), an_event())
    store.damage("endpoints", "flan", "it is torn")
    with pytest.raises(InUse, match="may be in use by endpoint 'flan': it is torn"):
        catalog.delete_config("falcon-config", "ann")
    assert catalog.config("falcon-config") == a_config()


def test_each_variant_needs_its_model_shadows_included(catalog):
    catalog.create_model(MODEL, "ann")
    shadow = a_variant("shadow", model_name="other-model")
    with pytest.raises(ModelNotFound, match="other-model"):
        catalog.create_config(a_config(shadows=(shadow,)), "ann")
    catalog.create_config(a_config(variants=(a_variant(model_name=""),)), "ann")


def test_every_container_of_a_pipeline_needs_a_player(catalog):
    containers = (a_container(image="pytorch-inference"), a_container(image="nginx"))
    with pytest.raises(InvalidInput, match="'nginx'"):
        catalog.create_model(a_model(containers=containers), "ann")
