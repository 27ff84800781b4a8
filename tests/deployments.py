"""Deployments over stores in memory, for tests of the API: what `apps/parts/deploying.py` builds."""

from types import SimpleNamespace

from parkade.adapters.memory.bookings import MemoryBookingStore
from parkade.adapters.memory.deployments import MemoryDeploymentStore
from parkade.adapters.memory.notices import MemoryNotices
from parkade.adapters.memory.provisioner import MemoryProvisioner
from parkade.adapters.memory.purses import MemoryPurses
from parkade.domain.scaling.target import Resource
from parkade.ports.capacity import Readiness, Reading
from parkade.services.deployer import Deployer
from parkade.services.deploying.desk import Desk
from parkade.services.deploying.rehearsing import Rehearsing
from parkade.services.deploying.steering import Steering
from parkade.services.deploying.walk import Walk
from parkade.services.sleeping import Sleeping
from parkade.services.waking import Waking
from tests.builders import NOW, minutes

MODEL = {"name": "text", "image": "sagemaker-scikit-learn", "data_url": "s3://models/text.tar.gz"}
#: The payload of the first endpoint deployer, with a model and an instance type of ours.
PAYLOAD = {
    "endpointName": "test-endpoint",
    "productionVariants": [
        {
            "AcceleratorType": "ml.eia1.medium",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1,
            "InstanceType": "ml.c5.xlarge",
            "ModelName": "text",
            "VariantName": "AllTraffic",
        }
    ],
    "autoscalingMinCapacity": 1,
    "autoscalingMaxCapacity": 4,
    "targetTrackingScalingPolicyConfiguration": {
        "TargetValue": 5000.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleOutCooldown": 60,
        "ScaleInCooldown": 300,
        "DisableScaleIn": False,
    },
}


def a_payload(name="test-endpoint", *, patience=3600, **changes):
    """The payload for this endpoint; another patience makes another fleet."""
    (variant,) = PAYLOAD["productionVariants"]
    variants = [{**variant, "ModelDataDownloadTimeoutInSeconds": patience}]
    return {**PAYLOAD, "endpointName": name, "productionVariants": variants, **changes}


def a_capacity(endpoint_name, variant_name="AllTraffic", count=1):
    """How many instances a variant has, and that it can be scaled."""
    return Reading(
        resource=Resource(name=endpoint_name, variant_name=variant_name),
        endpoint_name=endpoint_name,
        readiness=Readiness.READY,
        current=count,
        desired=count,
        changed_at=NOW,
        awake_since=NOW,
    )


def a_deployer(services, *, purses=None, leases_only=lambda: False):
    """The area over services in memory; `walk` goes on with a deployment where a task would."""
    provisioner = MemoryProvisioner(services.hosting, services.catalog, services.clock)
    desk = Desk(
        deployments=MemoryDeploymentStore(services.history),
        provisioner=provisioner,
        meter=services.meter,
        bookings=MemoryBookingStore(services.history, purses or MemoryPurses()),
        terms=services.upkeep.terms,
        waking=services.waking.asks,
        scaling=services.scaling.book,
        history=services.history,
        notices=MemoryNotices(),
        clock=services.clock,
        leases_only=leases_only,
    )
    rehearsing = Rehearsing(
        desk,
        prices=services.money.prices,
        budgets=services.money.budgets,
        usual=lambda: minutes(30),
    )
    deployer = Deployer(desk, rehearsing=rehearsing, spawn=services.spawn, changed=services.changed)
    return SimpleNamespace(
        deployer=deployer,
        steering=Steering(desk, deployer),
        desk=desk,
        walk=Walk(desk),
        provisioner=provisioner,
    )


def a_waking(services, book, terms_store, usage=None):
    """Sleep and wake, over stores in memory: what `apps/parts/waking.py` builds."""
    common = {"book": book, "clock": services.clock, "changed": services.changed}
    machines, prices = services.money.machines, services.money.prices
    return SimpleNamespace(
        asks=Waking(**common, terms=terms_store, refusal=services.upkeep.affording.refusal),
        sleeping=Sleeping(
            **common,
            terms=services.upkeep.terms,
            hosting=services.hosting,
            usage=usage,
            hourly=lambda name, config: prices.hourly(machines.wanted(name, config)),
        ),
    )
