"""The contract of the catalog store."""

import pytest

from parkade.domain.catalog import Asynchronous, Capture, Routing, Serverless
from parkade.domain.endpoint import ComponentStatus, EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ComponentNotFound,
    ConfigNotFound,
    EndpointNotFound,
    ModelNotFound,
    Unreadable,
)
from parkade.ports.catalog import Listing
from tests.builders import (
    NOW,
    a_blueprint,
    a_config,
    a_container,
    a_model,
    a_recorded_component,
    a_recorded_endpoint,
    a_recorded_instance,
    a_variant,
    an_event,
    minutes,
)
from tests.ports.stores import kinds_of


@pytest.fixture
def catalog(store):
    return store.catalog


def test_a_model_comes_back_with_every_field(catalog, store):
    model = a_model(environment={"B": "ü=1", "A": ""}, data_url="")
    catalog.add_model(model, an_event("model.created"))
    assert catalog.model(model.name) == model
    assert kinds_of(store.history) == ["model.created"]


def test_a_pipeline_comes_back_with_every_field(catalog):
    containers = (
        a_container(hostname="first", extras={"ImageConfig": {"RepositoryAccessMode": "Vpc"}}),
        a_container(hostname="last", image="other", environment={"A": "1"}),
    )
    model = a_model(containers=containers, direct=True)
    catalog.add_model(model, an_event("model.created"))
    assert catalog.model(model.name) == model


def test_models_come_in_the_order_of_names(catalog):
    for name in ("b", "a", "C"):
        catalog.add_model(a_model(name), an_event())
    assert catalog.models().records == (a_model("C"), a_model("a"), a_model("b"))


def test_a_model_is_not_added_twice(catalog, store):
    catalog.add_model(a_model("m"), an_event("model.created"))
    with pytest.raises(AlreadyExists, match="m"):
        catalog.add_model(a_model("m", image="other"), an_event("model.created"))
    assert catalog.model("m") == a_model("m")
    assert kinds_of(store.history) == ["model.created"]


def test_a_removed_model_is_gone_and_an_unknown_one_is_told(catalog, store):
    catalog.add_model(a_model("m"), an_event("model.created"))
    catalog.remove_model("m", an_event("model.deleted"))
    for ask in (catalog.model, lambda name: catalog.remove_model(name, an_event())):
        with pytest.raises(ModelNotFound, match="m"):
            ask("m")
    assert kinds_of(store.history) == ["model.created", "model.deleted"]


def test_a_config_comes_back_with_every_field_and_its_variants_in_order(catalog):
    variants = (
        a_variant("green", weight=0.1, instance_count=3),
        a_variant("blue", weight=2, model_name="other", instance_type="ml.g5.2xlarge"),
    )
    config = a_config(variants=variants)
    catalog.add_config(config, an_event())
    assert catalog.config(config.name) == config


def test_a_config_comes_back_with_its_shadow(catalog):
    shadow = a_variant("shade", weight=0.5, routing=Routing.RANDOM, startup_timeout=60)
    config = a_config(shadows=(shadow,))
    catalog.add_config(config, an_event())
    assert catalog.config(config.name) == config


def test_a_config_comes_back_with_its_capture_and_asynchronous_rules(catalog):
    config = a_config(
        variants=(a_variant(serverless=Serverless(memory_mb=2048, concurrency=5)),),
        capture=Capture(
            destination="s3://bucket/taken",
            percentage=30,
            enabled=False,
            outputs=False,
            csv_types=("text/csv",),
        ),
        asynchronous=Asynchronous(output="s3://bucket/out", concurrency=4),
        extras={"KmsKeyId": "key"},
    )
    catalog.add_config(config, an_event())
    assert catalog.config(config.name) == config


def test_configs_come_in_the_order_of_names(catalog):
    for name in ("b", "a"):
        catalog.add_config(a_config(name), an_event())
    assert catalog.configs().records == (a_config("a"), a_config("b"))


def test_a_config_is_not_added_twice(catalog, store):
    catalog.add_config(a_config("c"), an_event("config.created"))
    with pytest.raises(AlreadyExists, match="c"):
        catalog.add_config(a_config("c"), an_event("config.created"))
    assert kinds_of(store.history) == ["config.created"]


def test_a_removed_config_is_gone_and_an_unknown_one_is_told(catalog, store):
    catalog.add_config(a_config("c"), an_event("config.created"))
    catalog.remove_config("c", an_event("config.deleted"))
    for ask in (catalog.config, lambda name: catalog.remove_config(name, an_event())):
        with pytest.raises(ConfigNotFound, match="c"):
            ask("c")
    assert kinds_of(store.history) == ["config.created", "config.deleted"]


def test_an_endpoint_is_stored_over_the_one_of_its_name_with_its_event(catalog, store):
    catalog.put_endpoint(a_recorded_endpoint(), an_event("endpoint.creating"))
    failed = a_recorded_endpoint(
        status=EndpointStatus.FAILED, failure_reason="no ping", changed_at=NOW + minutes(4)
    )
    catalog.put_endpoint(failed, an_event("endpoint.failed"))
    assert catalog.endpoint("falcon") == failed
    assert catalog.endpoints() == Listing((failed,), {})
    assert kinds_of(store.history) == ["endpoint.creating", "endpoint.failed"]


def test_an_endpoint_that_is_updated_comes_back_with_what_it_is_to_become(catalog):
    updating = a_recorded_endpoint(
        status=EndpointStatus.UPDATING,
        generation=3,
        target=a_blueprint(a_config("next", variants=(a_variant(model_name="other"),))),
        target_generation=4,
    )
    catalog.put_endpoint(updating, an_event("endpoint.updating"))
    assert catalog.endpoint("falcon") == updating


def test_a_component_is_stored_over_and_removed_with_its_events(catalog, store):
    catalog.put_component(a_recorded_component(), an_event("component.creating"))
    failed = a_recorded_component(
        status=ComponentStatus.FAILED, failure_reason="no ping", generation=2
    )
    catalog.put_component(failed, an_event("component.failed"))
    assert catalog.component("parrot") == failed
    assert catalog.components() == Listing((failed,), {})
    for _ in range(2):
        catalog.remove_component("parrot", an_event("component.deleted"))
    with pytest.raises(ComponentNotFound, match="parrot"):
        catalog.component("parrot")
    assert kinds_of(store.history) == [
        "component.creating",
        "component.failed",
        "component.deleted",
    ]


def test_tags_belong_to_a_kind_and_a_name(catalog):
    catalog.put_tags("endpoint", "falcon", {"b": "2", "a": "ü"})
    catalog.put_tags("model", "falcon", {"c": ""})
    assert list(catalog.tags("endpoint", "falcon").items()) == [("a", "ü"), ("b", "2")]
    catalog.put_tags("endpoint", "falcon", {})
    assert catalog.tags("endpoint", "falcon") == {}
    assert catalog.tags("model", "falcon") == {"c": ""}


def test_endpoints_come_in_the_order_of_names(catalog):
    for name in ("b", "a"):
        catalog.put_endpoint(a_recorded_endpoint(name), an_event())
    assert [endpoint.name for endpoint in catalog.endpoints().records] == ["a", "b"]


def test_removing_an_endpoint_again_counts_as_done_without_an_event(catalog, store):
    catalog.put_endpoint(a_recorded_endpoint(), an_event("endpoint.creating"))
    for _ in range(2):
        catalog.remove_endpoint("falcon", an_event("endpoint.deleted"))
    with pytest.raises(EndpointNotFound, match="falcon"):
        catalog.endpoint("falcon")
    assert kinds_of(store.history) == ["endpoint.creating", "endpoint.deleted"]


def test_instances_are_stored_over_and_come_in_the_order_of_ids(catalog):
    for instance_id in ("i-2", "i-1"):
        catalog.put_instance(a_recorded_instance(instance_id))
    changed = a_recorded_instance("i-1", started_at=NOW + minutes(1))
    catalog.put_instance(changed)
    assert catalog.instances().records == (changed, a_recorded_instance("i-2"))


def test_removing_an_instance_again_counts_as_done(catalog):
    catalog.put_instance(a_recorded_instance("i-1"))
    for _ in range(2):
        catalog.remove_instance("i-1")
    assert catalog.instances() == Listing((), {})


@pytest.fixture
def filled(catalog):
    """Three records of each kind, "a", "b" and "c"."""
    for name in ("c", "b", "a"):
        catalog.add_model(a_model(name), an_event())
        catalog.add_config(a_config(name), an_event())
        catalog.put_endpoint(a_recorded_endpoint(name), an_event())
        catalog.put_instance(a_recorded_instance(name))
        catalog.put_component(a_recorded_component(name), an_event())
    return catalog


def key(record):
    return getattr(record, "name", None) or record.id


KINDS = ["models", "configs", "endpoints", "components", "instances"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_record_is_told_beside_the_others(filled, store, kind):
    store.damage_record(kind, "b")
    listing = getattr(filled, kind)()
    assert [key(record) for record in listing.records] == ["a", "c"]
    assert list(listing.unreadable) == ["b"]
    assert listing.unreadable["b"]
    for other in set(KINDS) - {kind}:
        assert getattr(filled, other)().unreadable == {}


@pytest.mark.parametrize("kind", KINDS[:4])
def test_asking_for_a_damaged_record_raises_unreadable(filled, store, kind):
    store.damage_record(kind, "b")
    one = getattr(filled, kind.removesuffix("s"))
    with pytest.raises(Unreadable, match="'b'"):
        one("b")
    assert one("a").name == "a"


def test_the_name_of_a_damaged_record_is_taken(filled, store):
    store.damage_record("models", "b")
    store.damage_record("configs", "b")
    with pytest.raises(AlreadyExists):
        filled.add_model(a_model("b"), an_event())
    with pytest.raises(AlreadyExists):
        filled.add_config(a_config("b"), an_event())


def test_what_is_stored_over_a_damaged_record_can_be_read(filled, store):
    store.damage_record("endpoints", "b")
    store.damage_record("instances", "b")
    filled.put_endpoint(a_recorded_endpoint("b"), an_event())
    filled.put_instance(a_recorded_instance("b"))
    assert filled.endpoint("b") == a_recorded_endpoint("b")
    assert filled.endpoints().unreadable == filled.instances().unreadable == {}


def test_a_damaged_record_can_be_removed(filled, store):
    for kind in KINDS:
        store.damage_record(kind, "b")
    filled.remove_model("b", an_event())
    filled.remove_config("b", an_event())
    filled.remove_endpoint("b", an_event())
    filled.remove_component("b", an_event())
    filled.remove_instance("b")
    for kind in KINDS:
        assert getattr(filled, kind)().unreadable == {}


def test_all_that_is_tagged_of_a_kind_is_found_by_name(store):
    store.catalog.put_tags("endpoint", "falcon", {"b": "2", "a": "1"})
    store.catalog.put_tags("endpoint", "ant", {"a": "1"})
    store.catalog.put_tags("endpoint", "bee", {})
    store.catalog.put_tags("model", "cat", {"a": "1"})
    found = store.catalog.tagged("endpoint")
    assert found.tags == {"ant": {"a": "1"}, "falcon": {"a": "1", "b": "2"}}
    assert list(found.tags) == ["ant", "falcon"]
    assert found.unreadable == {}
