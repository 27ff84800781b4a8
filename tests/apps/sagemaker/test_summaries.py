"""How an endpoint is described while an update goes in stages."""

import pytest

from parkade.apps.sagemaker import summaries
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.rollout import Kind, Size, Strategy
from parkade.domain.stages import Stage
from parkade.runtime.views import EndpointDescription
from tests.builders import (
    NOW,
    a_blueprint,
    a_config,
    a_recorded_endpoint,
    a_rollout,
    a_variant,
    minutes,
    seconds,
)

ROLLING = Strategy(kind=Kind.ROLLING, step=Size(percent=50), alarms=("errors",))
BLUE = a_blueprint(a_config("blue", variants=(a_variant(weight=4.0, instance_count=4),)))
GREEN = a_blueprint(a_config("green", variants=(a_variant(weight=2.0, instance_count=4),)))


def described(rollout):
    recorded = a_recorded_endpoint(
        blueprint=BLUE,
        status=EndpointStatus.UPDATING,
        target=GREEN,
        target_generation=2,
        rollout=rollout,
        strategy=rollout.strategy if rollout else None,
        changed_at=NOW + minutes(1),
    )
    return summaries.endpoint(
        EndpointDescription(recorded=recorded, serving={"blue": 3}, rising={"blue": 2})
    )


@pytest.mark.semantics("states.variant", "guardrails.staged")
@pytest.mark.parametrize(
    ("stage", "taken", "told", "share"),
    [
        (Stage.RISING, 0, "Creating", 0),
        (Stage.SHIFTING, 1, "ActivatingTraffic", 0.1),
        (Stage.BAKING, 1, "Baking", 0.1),
        (Stage.TERMINATING, 2, "Baking", 1),
    ],
)
def test_a_variant_tells_its_stage_and_its_weight_by_now(stage, taken, told, share):
    answer = described(a_rollout(stage=stage, taken=taken, since=NOW + seconds(30)))
    pending = answer["PendingDeploymentSummary"]
    assert (pending["EndpointConfigName"], pending["StartTime"]) == ("green", NOW)
    (rising,) = pending["ProductionVariants"]
    (status,) = rising["VariantStatus"]
    assert (status["Status"], status["StartTime"]) == (told, NOW + seconds(30))
    assert status["StatusMessage"] == f"{share * 100:g} % of requests go to it"
    assert rising["CurrentWeight"] == pytest.approx(2.0 * share)
    assert (rising["CurrentInstanceCount"], rising["DesiredInstanceCount"]) == (2, 4)
    (serving,) = answer["ProductionVariants"]
    assert serving["CurrentWeight"] == pytest.approx(4.0 * (1 - share))
    assert [each["Status"] for each in serving["VariantStatus"]] == ["Updating"]


@pytest.mark.semantics("states.variant")
def test_what_is_rolled_back_says_why():
    rollout = a_rollout(ROLLING, reason="alarm 'errors' went off")
    (rising,) = described(rollout)["PendingDeploymentSummary"]["ProductionVariants"]
    assert rising["VariantStatus"][0]["StatusMessage"] == "alarm 'errors' went off"


def test_an_update_without_stages_is_described_as_ever():
    answer = described(None)
    (rising,) = answer["PendingDeploymentSummary"]["ProductionVariants"]
    assert (rising["CurrentWeight"], rising["VariantStatus"][0]["Status"]) == (0.0, "Creating")
    assert "LastDeploymentConfig" not in answer
