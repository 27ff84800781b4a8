"""The contract of the provisioner: in memory, on a real host, and on SageMaker's API of it."""

import pytest

from parkade.domain.deploy.naming import counts_of
from parkade.domain.errors import (
    AlreadyExists,
    ConfigNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    InUse,
    InvalidInput,
    ModelNotFound,
)
from parkade.domain.rollout import Kind, Size, Strategy
from tests.builders import a_config, a_variant
from tests.ports.provisioners import provisioners

PLAIN = Strategy()


OWN = ["memory", "embedded"]


@pytest.fixture(params=[*OWN, "sagemaker"])
def world(request, tmp_path):
    with provisioners(request.param, tmp_path) as built:
        yield built


@pytest.fixture(params=OWN)
def own(request, tmp_path):
    """A world that can do more with an update than begin it."""
    with provisioners(request.param, tmp_path) as built:
        yield built


@pytest.fixture
def sagemaker(tmp_path):
    """A world in which an update goes its own way."""
    with provisioners("sagemaker", tmp_path) as built:
        yield built


def make(world, name, model="blue", count=1):
    config = a_config(name, variants=(a_variant(model_name=model, instance_count=count),))
    world.provisioner.make_config(config, {"environment": "test"}, "ann")
    return config


def create(world, name="falcon"):
    make(world, "first")
    world.provisioner.create(name, "first", "ann")
    world.settle(name)


def update(world, config_name, **options):
    options = {"strategy": PLAIN, "keeps_counts": False, **options}
    world.provisioner.update("falcon", config_name, "ann", **options)


def test_what_is_not_there_is_none(world):
    assert world.provisioner.look("falcon") is None
    with pytest.raises(ConfigNotFound):
        world.provisioner.config("first")
    with pytest.raises(ModelNotFound):
        world.provisioner.model("none")
    assert world.provisioner.model("blue").name == "blue"


def test_a_config_is_made_once_and_is_of_known_models(world):
    config = make(world, "first")
    assert world.provisioner.config("first") == config
    with pytest.raises(AlreadyExists):
        make(world, "first")
    with pytest.raises(ModelNotFound):
        make(world, "second", "none")


def test_an_endpoint_is_created_and_seen_with_what_it_runs(world):
    create(world)
    present = world.provisioner.look("falcon")
    assert (present.observed.status, present.observed.config_name) == ("InService", "first")
    assert [model.name for model in present.blueprint.models] == ["blue"]
    assert present.rollout is None
    world.provisioner.create("falcon", "first", "ann")
    with pytest.raises(ConfigNotFound):
        world.provisioner.create("flan", "none", "ann")


def test_an_update_is_seen_with_its_target_until_it_is_what_runs(world):
    create(world)
    make(world, "second", "green", count=2)
    update(world, "second")
    observed = world.provisioner.look("falcon").observed
    assert (observed.status, observed.config_name) == ("Updating", "first")
    assert observed.target_config_name == "second"
    with pytest.raises(EndpointBusy):
        update(world, "first")
    world.settle("falcon")
    present = world.provisioner.look("falcon")
    assert (present.observed.status, present.observed.config_name) == ("InService", "second")
    assert present.observed.target_config_name == ""
    assert list(counts_of(present.blueprint).values()) == [2]


def test_counts_are_kept_where_that_is_asked_for(world):
    create(world)
    make(world, "second", "green", count=2)
    update(world, "second", keeps_counts=True)
    world.settle("falcon")
    assert list(counts_of(world.provisioner.look("falcon").blueprint).values()) == [1]


def reweigh(world, config_name, *, keeps_counts=False):
    world.provisioner.reweigh("falcon", config_name, "ann", keeps_counts=keeps_counts)


def test_weights_and_counts_are_those_of_another_config_on_the_fleet_that_serves(own):
    create(own)
    variants = (a_variant(model_name="blue", instance_count=2, weight=3.0),)
    own.provisioner.make_config(a_config("heavier", variants=variants), {}, "ann")
    generation = own.provisioner.look("falcon").observed.generation
    reweigh(own, "heavier")
    assert own.provisioner.look("falcon").observed.target_config_name == "heavier"
    with pytest.raises(EndpointBusy):
        reweigh(own, "first")
    own.settle("falcon")
    present = own.provisioner.look("falcon")
    assert (present.observed.config_name, present.observed.generation) == ("heavier", generation)
    assert [(v.weight, v.instance_count) for v in present.blueprint.config.variants] == [(3.0, 2)]
    reweigh(own, "first", keeps_counts=True)
    own.settle("falcon")
    present = own.provisioner.look("falcon")
    assert (present.observed.config_name, present.observed.generation) == ("first", generation)
    assert [(v.weight, v.instance_count) for v in present.blueprint.config.variants] == [(1.0, 2)]


def test_another_fleet_is_no_matter_of_weights(world):
    create(world)
    make(world, "second", "green")
    with pytest.raises(Conflict):
        reweigh(world, "second")
    with pytest.raises(ConfigNotFound):
        reweigh(world, "none")
    assert world.provisioner.look("falcon").observed.status == "InService"


def test_an_update_that_fails_leaves_what_served_and_says_why(world):
    create(world)
    make(world, "broken-config", "broken")
    update(world, "broken-config")
    world.settle("falcon")
    observed = world.provisioner.look("falcon").observed
    assert (observed.status, observed.config_name) == ("InService", "first")
    assert observed.failure_reason


def test_an_update_is_called_off(own):
    create(own)
    make(own, "second", "green")
    for call in (
        lambda: own.provisioner.promote("falcon", "ann"),
        lambda: own.provisioner.roll_back("falcon", "ann", "because"),
    ):
        with pytest.raises(Conflict):
            call()
    update(own, "second")
    own.provisioner.promote("falcon", "ann")
    own.provisioner.roll_back("falcon", "ann", "because")
    own.settle("falcon")
    observed = own.provisioner.look("falcon").observed
    assert (observed.status, observed.config_name) == ("InService", "first")
    assert "because" in observed.failure_reason


def test_sagemaker_ends_no_update_by_hand(sagemaker):
    create(sagemaker)
    make(sagemaker, "second", "green")
    for words in ("is under way", "SageMaker"):
        for call in (
            lambda: sagemaker.provisioner.promote("falcon", "ann"),
            lambda: sagemaker.provisioner.roll_back("falcon", "ann", "because"),
        ):
            with pytest.raises(Conflict, match=words):
                call()
        if words == "is under way":
            update(sagemaker, "second")
    sagemaker.settle("falcon")
    assert sagemaker.provisioner.look("falcon").observed.config_name == "second"


def test_sagemaker_changes_weights_under_another_config_by_an_update(sagemaker):
    create(sagemaker)
    variants = (a_variant(model_name="blue", instance_count=2, weight=3.0),)
    sagemaker.provisioner.make_config(a_config("heavier", variants=variants), {}, "ann")
    reweigh(sagemaker, "heavier", keeps_counts=True)
    sagemaker.settle("falcon")
    present = sagemaker.provisioner.look("falcon")
    assert (present.observed.config_name, present.observed.generation) == ("heavier", 2)
    assert [(v.weight, v.instance_count) for v in present.blueprint.config.variants] == [(3.0, 1)]


def test_what_is_not_there_is_not_updated(world):
    make(world, "first")
    for call in (update, reweigh):
        with pytest.raises(EndpointNotFound):
            call(world, "first")
    world.provisioner.create("falcon", "first", "ann")
    world.settle("falcon")
    with pytest.raises(ConfigNotFound):
        update(world, "none")


def test_a_config_that_is_in_use_is_not_removed_and_one_that_is_gone_is(world):
    create(world)
    make(world, "second", "green")
    with pytest.raises(InUse):
        world.provisioner.remove_config("first", "ann")
    update(world, "second")
    with pytest.raises(InUse):
        world.provisioner.remove_config("second", "ann")
    world.settle("falcon")
    for _ in range(2):
        world.provisioner.remove_config("first", "ann")
    with pytest.raises(ConfigNotFound):
        world.provisioner.config("first")


def test_tags_are_those_that_were_given_and_no_others(world):
    world.provisioner.tag("falcon", {"a": "1", "b": "2"}, "ann")
    create(world)
    assert world.provisioner.tags("falcon") == {"a": "1", "b": "2"}
    world.provisioner.tag("falcon", {"b": "3"}, "ann")
    assert world.provisioner.tags("falcon") == {"b": "3"}


def test_an_endpoint_is_removed_and_one_that_is_gone_counts_as_done(world):
    create(world)
    for _ in range(2):
        world.provisioner.remove("falcon", "ann")
    world.settle("falcon")
    assert world.provisioner.look("falcon") is None
    world.provisioner.remove("falcon", "ann")


def test_a_rehearsal_does_nothing_and_says_what_would_be_refused(world):
    create(world)
    config = a_config("second", variants=(a_variant(model_name="green", instance_count=4),))
    world.provisioner.rehearse("falcon", config, PLAIN)
    world.provisioner.rehearse("flan", config, PLAIN)
    too_large = Strategy(kind=Kind.CANARY, step=Size(instances=3))
    with pytest.raises(InvalidInput):
        world.provisioner.rehearse("falcon", config, too_large)
    assert world.provisioner.look("falcon").observed.status == "InService"
    assert world.provisioner.look("flan") is None
