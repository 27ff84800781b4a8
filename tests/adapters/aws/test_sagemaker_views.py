"""What SageMaker's descriptions are read as: machines, stages of updates, what there is."""

import time
from datetime import UTC, timedelta
from fractions import Fraction

import pytest

from parkade.adapters.aws.sagemaker.catalog import SageMakerInventory
from parkade.adapters.aws.sagemaker.components import Components
from parkade.adapters.aws.sagemaker.descriptions import sight
from parkade.adapters.aws.sagemaker.forms import configs, deployments, models, variants
from parkade.adapters.aws.sagemaker.machines import SageMakerMachines
from parkade.adapters.aws.sagemaker.models import SageMakerModels
from parkade.domain.catalog import Asynchronous, Capture, Routing, Serverless
from parkade.domain.errors import ConfigNotFound, EndpointNotFound, Unreadable
from parkade.domain.rollout import Kind, Size, Strategy
from parkade.domain.stages import Stage
from tests.adapters.aws.misbehaving import SageMaker, over
from tests.builders import NOW, a_config, a_container, a_model, a_variant, minutes

# -- forms


@pytest.mark.parametrize(
    "config",
    [
        a_config(),
        a_config(
            variants=(
                a_variant("a", weight=0.25, instance_count=3, routing=Routing.RANDOM),
                a_variant("b", download_timeout=60, startup_timeout=3600),
            ),
            extras={"KmsKeyId": "key"},
        ),
        a_config(
            variants=(
                a_variant(
                    instance_type="",
                    serverless=Serverless(memory_mb=2048, concurrency=5, provisioned=2),
                ),
            )
        ),
        a_config(
            shadows=(a_variant("shade", extras={"VolumeSizeInGB": 30}),),
            capture=Capture(
                destination="s3://bucket/taken",
                percentage=30,
                enabled=False,
                outputs=False,
                csv_types=("text/csv",),
                extras={"KmsKeyId": "key"},
            ),
        ),
        a_config(
            asynchronous=Asynchronous(
                output="s3://bucket/out",
                failure="s3://bucket/failed",
                success_topic="arn:aws:sns:eu-west-1:000000000000:done",
                concurrency=4,
            )
        ),
    ],
)
def test_a_config_comes_back_as_it_was_asked_for(config):
    asked = configs.asked(config)
    assert configs.told({**asked, "CreationTime": NOW, "EndpointConfigArn": "arn"}) == config


def test_a_variant_of_which_no_routing_is_told_takes_instances_at_random():
    told = {"VariantName": "main", "ModelName": "m", "InstanceType": "ml.c5.xlarge"}
    assert variants.told(told).routing is Routing.RANDOM
    other = {**told, "RoutingConfig": {"RoutingStrategy": "SOMETHING_NEW"}}
    assert variants.told(other).extras == {"RoutingConfig": {"RoutingStrategy": "SOMETHING_NEW"}}
    assert variants.asked(variants.told(other))["RoutingConfig"] == other["RoutingConfig"]


@pytest.mark.parametrize(
    "model",
    [
        a_model(image="registry.example.com/own:1", environment={"A": "1"}),
        a_model(
            containers=(a_container(hostname="first"), a_container(hostname="last")), direct=True
        ),
        a_model(image="arn:aws:sagemaker:eu-west-1:000000000000:model-package/mine/3", data_url=""),
        a_model(data_url="s3://bucket/models/", multi_model=True, caches=False),
    ],
)
def test_a_model_comes_back_as_it_was_asked_for(model):
    asked = models.asked(model)
    told = models.told({**asked, "CreationTime": NOW, "ModelArn": "arn"})
    extras = {"InferenceExecutionConfig", "Containers"}
    assert told.extras.keys() <= extras
    assert (told.name, told.containers, told.direct) == (
        model.name,
        model.containers,
        model.direct,
    )


# -- stages


def updating(strategy, share, status):
    """Return what SageMaker tells of an update that has come so far."""
    serving = {"CurrentInstanceCount": 4, "DesiredInstanceCount": 4, "DesiredWeight": 1.0}
    coming = {
        **serving,
        "VariantName": "main",
        "CurrentWeight": share,
        "VariantStatus": [{"Status": status, "StartTime": NOW + minutes(3)}],
    }
    return {
        "EndpointName": "falcon",
        "EndpointStatus": "Updating",
        "EndpointConfigName": "config",
        "CreationTime": NOW,
        "LastModifiedTime": NOW + minutes(1),
        "ProductionVariants": [{"VariantName": "main", **serving}],
        "LastDeploymentConfig": deployments.described(strategy),
        "PendingDeploymentSummary": {
            "EndpointConfigName": "other",
            "StartTime": NOW + minutes(2),
            "ProductionVariants": [coming],
        },
    }


LINEAR = Strategy(kind=Kind.LINEAR, step=Size(percent=25), wait=timedelta(seconds=60))


@pytest.mark.parametrize(
    ("share", "status", "stage", "taken"),
    [
        (0.0, "Creating", Stage.RISING, 0),
        (0.25, "Baking", Stage.BAKING, 1),
        (0.5, "ActivatingTraffic", Stage.SHIFTING, 2),
        (0.7500001, "Baking", Stage.BAKING, 3),
        (1.0, "Baking", Stage.BAKING, 4),
        (0.5, "Deleting", Stage.ROLLING_BACK, 2),
    ],
)
def test_an_update_in_stages_tells_how_far_it_has_come(share, status, stage, taken):
    seen = sight(updating(LINEAR, share, status), {}, None, NOW)
    assert (seen.config_name, seen.target_config_name) == ("config", "other")
    assert seen.rollout.strategy == LINEAR
    assert (seen.rollout.stage, seen.rollout.taken) == (stage, taken)
    assert seen.rollout.share == Fraction(taken, 4)
    assert (seen.rollout.began_at, seen.rollout.since) == (NOW + minutes(2), NOW + minutes(3))
    assert seen.observed.stoppable


def test_an_update_all_at_once_has_no_stages():
    told = updating(Strategy(), 0.0, "Creating")
    assert sight(told, {}, None, NOW).rollout is None
    del told["LastDeploymentConfig"]
    assert sight(told, {}, None, NOW).rollout is None


def test_stages_that_are_not_understood_are_not_told(caplog):
    told = updating(LINEAR, 0.25, "Baking")
    policy = told["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]
    policy["TrafficRoutingConfiguration"]["Type"] = "SPIRAL"
    seen = sight(told, {}, None, NOW)
    assert (seen.rollout, seen.target_config_name) == (None, "other")
    assert "SPIRAL" in caplog.text


def test_instants_come_in_utc_whatever_zone_the_machine_has(server, world, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        server.place("falcon")
        seen = world.sights.look("falcon")
        assert (seen.created_at, seen.created_at.tzinfo) == (NOW, UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


# -- machines and inventory


@pytest.fixture
def server():
    built = SageMaker()
    yield built
    built.close()


@pytest.fixture
def world(server, tmp_path):
    return over(server, tmp_path)


@pytest.fixture
def machines(world):
    components = Components(world.account, world.sights.shelf)
    return SageMakerMachines(world.sights, components, world.clock)


def test_instances_count_from_the_creation_that_was_seen(server, world, machines):
    world.hosting.create("falcon", "config")
    (coming,) = machines.present()
    assert (coming.variant_name, coming.instance_type) == ("main", "ml.c5.xlarge")
    assert (coming.started_at, coming.generation) == (NOW, 1)
    world.clock.advance(minutes(5))
    server.now += 300
    server.place("falcon")
    assert machines.present() == [coming]
    server.now += 300
    world.clock.advance(minutes(5))
    server.place("falcon", config="other")
    (other,) = machines.present()
    assert (other.config_name, other.generation) == ("other", 2)
    assert other.started_at == NOW + minutes(10)
    del server.endpoints["falcon"]
    assert machines.present() == []


def test_what_was_there_before_counts_from_when_it_was_first_seen(server, world, machines):
    server.place("falcon")
    world.clock.advance(minutes(60 * 24 * 200))
    (found,) = machines.present()
    assert found.started_at == world.clock.now()


def test_nothing_is_paid_for_what_has_failed(server, machines):
    server.place("falcon", status="Failed")
    assert machines.present() == []


def test_what_an_endpoint_runs_on_or_would(server, machines):
    server.place("falcon")
    for name in ("falcon", "none"):
        (wanted,) = machines.wanted(name, "other")
        assert (wanted.variant_name, wanted.instance_type, wanted.count) == (
            "main",
            "ml.c5.xlarge",
            1,
        )
    with pytest.raises(ConfigNotFound):
        machines.wanted("none", "none")
    assert machines.host_of("falcon", "main") == "main"


def test_the_machines_of_an_endpoint_whose_config_is_gone_have_no_name(server, machines, caplog):
    server.place("falcon", config="gone")
    (found,) = machines.present()
    assert found.instance_type == ""
    assert "gone" in caplog.text


@pytest.fixture
def inventory(world):
    tags = world.hosting._tags
    shelf = world.sights.shelf
    return SageMakerInventory(
        sights=world.sights,
        tags=tags,
        models=SageMakerModels(
            world.account, shelf=shelf, tags=tags, history=world.history, clock=world.clock
        ),
        provisioner=world.provisioner,
        components=Components(world.account, shelf),
    )


def test_endpoints_are_shown_with_what_they_run(server, inventory):
    server.place("falcon")
    server.place("flan", config="gone")
    listing = inventory.endpoints()
    (falcon,) = listing.records
    assert (falcon.name, falcon.config_name) == ("falcon", "config")
    assert [each.name for each in falcon.blueprint.models] == ["m"]
    assert inventory.endpoint("falcon") == falcon
    assert "flan" in listing.unreadable
    with pytest.raises(Unreadable, match="flan"):
        inventory.endpoint("flan")
    with pytest.raises(EndpointNotFound):
        inventory.endpoint("none")
    assert inventory.instances().records == ()
