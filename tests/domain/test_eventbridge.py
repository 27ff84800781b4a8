"""Events in EventBridge's shape, against the sample of SageMaker's developer guide."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import eventbridge
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.eventbridge import Origin, rendered, state_change
from parkade.domain.stages import Stage
from tests.builders import (
    NOW,
    a_blueprint,
    a_config,
    a_rollout,
    a_variant,
    an_event,
    minutes,
    seconds,
)

ORIGIN = Origin(account="000000000000", region="eu-west-1", source_id="here")
ARN = "arn:aws:sagemaker:eu-west-1:000000000000:endpoint/falcon"
BLUE = a_blueprint(a_config(variants=(a_variant("blue", instance_count=2, weight=0.5),)))
GREEN = a_blueprint(a_config("green-config", variants=(a_variant("green"),)))


def change(status="InService", before="Creating", **more):
    defaults = {
        "created_at": NOW,
        "changed_at": NOW + seconds(2.084),
        "blueprint": BLUE,
        "tags": {"team": "a"},
    }
    told = state_change(status=status, before=before, **{**defaults, **more})
    return an_event("endpoint.in_service", at=NOW + minutes(1), data={"change": told}, number=7)


@pytest.mark.semantics("events.state_change")
def test_a_change_of_status_is_sagemakers_event():
    assert rendered(change(), ORIGIN) == {
        "version": "0",
        "id": rendered(change(), ORIGIN)["id"],
        "detail-type": "SageMaker Endpoint State Change",
        "source": "aws.sagemaker",
        "account": "000000000000",
        "time": "2026-03-01T12:01:00Z",
        "region": "eu-west-1",
        "resources": [ARN],
        "detail": {
            "EndpointName": "falcon",
            "EndpointArn": ARN,
            "EndpointConfigName": "falcon-config",
            "ProductionVariants": [
                {"VariantName": "blue", "DesiredWeight": 0.5, "DesiredInstanceCount": 2.0}
            ],
            "EndpointStatus": "IN_SERVICE",
            "CreationTime": 1772366400000.0,
            "LastModifiedTime": 1772366402084.0,
            "Tags": {"team": "a"},
        },
    }


@pytest.mark.semantics("events.state_change", "guardrails.staged")
def test_a_stage_of_a_deployment_tells_how_far_the_new_variants_are():
    baking = a_rollout(stage=Stage.BAKING, taken=1, since=NOW + seconds(60))
    envelope = rendered(change("Updating", "Updating", target=GREEN, rollout=baking), ORIGIN)
    assert envelope["detail-type"] == "SageMaker Endpoint Deployment State Change"
    assert envelope["detail"]["PendingDeploymentSummary"] == {
        "EndpointConfigName": "green-config",
        "StartTime": 1772366400000.0,
        "ProductionVariants": [
            {
                "VariantName": "green",
                "CurrentWeight": 0.1,
                "DesiredWeight": 1.0,
                "DesiredInstanceCount": 1.0,
                "VariantStatus": [{"Status": "Baking", "StartTime": 1772366460000.0}],
            }
        ],
    }


@pytest.mark.semantics("events.state_change")
@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("Creating", "CREATING"),
        ("InService", "IN_SERVICE"),
        ("Updating", "UPDATING"),
        ("SystemUpdating", "SYSTEM_UPDATING"),
        ("RollingBack", "ROLLING_BACK"),
        ("Failed", "FAILED"),
        ("Deleting", "DELETING"),
        ("OutOfService", "OUT_OF_SERVICE"),
        ("UpdateRollbackFailed", "UPDATE_ROLLBACK_FAILED"),
        (eventbridge.DELETED, "DELETED"),
    ],
)
def test_every_status_is_in_upper_snake(status, told):
    assert {*EndpointStatus} - {"InService"} <= {
        "Creating", "Updating", "SystemUpdating", "RollingBack", "Failed", "Deleting",
        "OutOfService", "UpdateRollbackFailed",
    }  # fmt: skip
    envelope = rendered(change(status, before=""), ORIGIN)
    assert envelope["detail"]["EndpointStatus"] == told
    assert envelope["detail-type"] == "SageMaker Endpoint State Change"


@pytest.mark.semantics("events.state_change")
def test_a_step_of_a_deployment_within_a_status_tells_what_is_pending():
    step = change("Updating", before="Updating", target=GREEN)
    envelope = rendered(step, ORIGIN)
    assert envelope["detail-type"] == "SageMaker Endpoint Deployment State Change"
    assert envelope["detail"]["PendingDeploymentSummary"] == {
        "EndpointConfigName": "green-config",
        "StartTime": 1772366402084.0,
        "ProductionVariants": [
            {"VariantName": "green", "DesiredWeight": 1.0, "DesiredInstanceCount": 1.0}
        ],
    }


def test_a_failure_says_why():
    detail = rendered(change("Failed", failure_reason="no memory"), ORIGIN)["detail"]
    assert detail["FailureReason"] == "no memory"
    assert "FailureReason" not in rendered(change(), ORIGIN)["detail"]


def test_an_alarm_is_cloudwatchs_event():
    alarm = {"alarmName": "quiet", "state": {"value": "ALARM"}}
    envelope = rendered(an_event("alarm.changed", data={"alarm": alarm}), ORIGIN)
    assert envelope["source"] == "aws.cloudwatch"
    assert envelope["detail-type"] == "CloudWatch Alarm State Change"
    assert envelope["resources"] == ["arn:aws:cloudwatch:eu-west-1:000000000000:alarm:quiet"]
    assert envelope["detail"] == alarm


def test_all_else_is_parkades_own():
    event = an_event("lease.extended", number=3, owner="ann", data={"minutes": 10})
    envelope = rendered(event, ORIGIN)
    assert (envelope["source"], envelope["detail-type"]) == ("parkade", "Parkade Lease Extended")
    assert envelope["resources"] == [ARN]
    assert envelope["detail"] == {
        "number": 3,
        "at": "2026-03-01T12:00:00Z",
        "kind": "lease.extended",
        "actor": "ann",
        "reason": "because",
        "endpoint_name": "falcon",
        "owner": "ann",
        "data": {"minutes": 10},
    }
    assert rendered(an_event("token.created", endpoint_name=""), ORIGIN)["resources"] == []


@given(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))
def test_an_id_is_the_events_for_ever_and_no_other_events(one, two):
    ids = [rendered(an_event(number=number), ORIGIN)["id"] for number in (one, one, two)]
    assert ids[0] == ids[1]
    assert (ids[1] == ids[2]) is (one == two)
    elsewhere = Origin(account="000000000000", region="eu-west-1", source_id="there")
    assert rendered(an_event(number=one), elsewhere)["id"] != ids[0]
    assert str(uuid.UUID(ids[0])) == ids[0]
