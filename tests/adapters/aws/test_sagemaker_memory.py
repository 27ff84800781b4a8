"""What is remembered of SageMaker's endpoints, in memory and in the table."""

from dataclasses import replace

import pytest

from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.kept import DynamoKeptStore
from parkade.adapters.aws.dynamodb.sights import DynamoSightStore
from parkade.adapters.aws.sagemaker.kept import Kept
from parkade.adapters.aws.sagemaker.sight import Part, Sight
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.kept import MemoryKeptStore
from parkade.adapters.memory.sights import MemorySightStore
from parkade.domain.endpoint import EndpointStatus
from tests.aws_account import a_table
from tests.builders import NOW, a_rollout, minutes

SIGHT = Sight(
    name="falcon",
    status=EndpointStatus.UPDATING,
    created_at=NOW,
    changed_at=NOW + minutes(1),
    config_name="config",
    parts=(Part(name="main", instance_type="ml.c5.xlarge", current=1, desired=2, weight=0.5),),
    target_config_name="other",
    rising=(Part(name="main", serverless=True),),
    rollout=a_rollout(),
    failure_reason="ü",
    known_since=NOW,
    awake_since=NOW,
    generation=3,
    asynchronous=True,
)
KEPT = Kept(
    endpoint_name="falcon",
    since=NOW,
    components=[{"InferenceComponentName": "parrot", "RuntimeConfig": {"CopyCount": 1}}],
    targets=[{"ResourceId": "endpoint/falcon/variant/main", "MinCapacity": 1}],
    policies=[{"PolicyName": "keep", "Target": 0.5, "DisableScaleIn": False}],
    actions=[{"StartTime": "2026-03-01T12:00:00Z"}],
)


@pytest.fixture(params=["memory", "dynamodb"])
def table(request):
    """A table of its own; None: nothing but memory."""
    if request.param == "memory":
        return None
    return DynamoHistory(a_table(request.getfixturevalue("aws")), ManualClock(NOW))


def test_sights_come_back_with_every_field_until_they_are_forgotten(table):
    store = DynamoSightStore(table) if table else MemorySightStore()
    others = [replace(SIGHT, name=f"flan-{number}") for number in range(120)]
    store.put([SIGHT, *others])
    assert store.all()["falcon"] == SIGHT
    assert len(store.all()) == 121
    changed = replace(SIGHT, status=EndpointStatus.IN_SERVICE, rollout=None)
    store.put([changed])
    store.forget({"none", *(each.name for each in others)})
    assert store.all() == {"falcon": changed}


def test_what_is_kept_comes_back_until_nothing_is(table):
    store = DynamoKeptStore(table) if table else MemoryKeptStore()
    assert store.get("falcon") is None
    store.change("falcon", lambda _: KEPT)
    held = store.get("falcon")
    parts = ("components", "targets", "policies", "actions")
    assert [list(getattr(held, part)) for part in parts] == [getattr(KEPT, part) for part in parts]
    assert (held.endpoint_name, held.since) == ("falcon", NOW)
    assert list(store.all()) == ["falcon"]
    seen = []
    for _ in range(2):
        store.change(
            "falcon", lambda kept: seen.append(kept) or Kept(endpoint_name="falcon", since=NOW)
        )
        assert store.get("falcon") is None
    assert seen == [held, None]
    assert store.all() == {}


def test_what_others_keep_meanwhile_is_not_written_over(aws):
    store = DynamoKeptStore(DynamoHistory(a_table(aws), ManualClock(NOW)))
    policy = {"PolicyName": "other"}

    def beside(kept):
        if kept is None:
            store.change("falcon", lambda _: KEPT)
            return Kept(endpoint_name="falcon", since=NOW, policies=[policy])
        return replace(kept, policies=[*kept.policies, policy])

    store.change("falcon", beside)
    assert list(store.get("falcon").policies) == [*KEPT.policies, policy]
    assert list(store.get("falcon").targets) == KEPT.targets
