"""Events in the shape that Amazon EventBridge delivers them in.

What an endpoint's change of status says is written into its event when it happens
(`state_change`); this is what `rendered` makes SageMaker's envelope of. Alarms have CloudWatch's,
and all else has one of Parkade's own. An envelope's id depends on nothing but the event, so that
whoever gets one twice can tell.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from parkade.domain.event import document, written
from parkade.domain.stages import VARIANT_STATUS, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.catalog import Variant
    from parkade.domain.event import Event, Json
    from parkade.domain.stages import Rollout

SAGEMAKER = "aws.sagemaker"
CLOUDWATCH = "aws.cloudwatch"
OWN = "parkade"

ENDPOINT_CHANGE = "SageMaker Endpoint State Change"
DEPLOYMENT_CHANGE = "SageMaker Endpoint Deployment State Change"
ALARM_CHANGE = "CloudWatch Alarm State Change"

#: The status of an endpoint that is gone; no API ever shows it.
DELETED = "Deleted"

#: Where an event's data holds a change of an endpoint.
CHANGE = "change"

_NAMESPACE = uuid.UUID("6f0f3f5e-8f4c-5c1b-9a54-7d1d5f6d9a10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where events come from: the account and region that this server says it is, and its own id."""

    account: str
    region: str
    #: Tells the events of one server from those of all others.
    source_id: str

    def endpoint_arn(self, name: str) -> str:
        """Return the ARN of an endpoint."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:endpoint/{name}"

    def alarm_arn(self, name: str) -> str:
        """Return the ARN of an alarm."""
        return f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:{name}"


def state_change(
    *,
    status: str,
    before: str,
    created_at: datetime,
    changed_at: datetime,
    blueprint: Blueprint,
    tags: Mapping[str, str],
    target: Blueprint | None = None,
    failure_reason: str = "",
    rollout: Rollout | None = None,
    same_fleet: bool = False,
) -> dict[str, Json]:
    """Return what the event of a change of an endpoint says of it: its data under `CHANGE`.

    `before` is the status it had, empty where there was no endpoint; `target` is what is being
    brought up, in stages where there is a rollout, or on the `same_fleet` that serves.
    """
    change: dict[str, Json] = {
        "status": status,
        "status_before": before,
        "config_name": blueprint.config.name,
        "created_at": written(created_at),
        "changed_at": written(changed_at),
        "variants": _variants(blueprint.config.variants),
        "tags": dict(tags),
    }
    if failure_reason:
        change["failure_reason"] = failure_reason
    if target is not None:
        pending: dict[str, Json] = {
            "config_name": target.config.name,
            "variants": _variants(target.config.variants),
        }
        if same_fleet:
            pending["same_fleet"] = True
        change["pending"] = pending if rollout is None else {**pending, **_stage(rollout)}
    return change


def _stage(rollout: Rollout) -> dict[str, Json]:
    return {
        "stage": rollout.stage,
        "share": float(rollout.share),
        "since": written(rollout.since),
        "began_at": written(rollout.began_at),
    }


def _variants(variants: Sequence[Variant]) -> list[Json]:
    return [
        {"name": each.name, "weight": each.weight, "instances": each.instance_count}
        for each in variants
    ]


def rendered(event: Event, origin: Origin) -> dict[str, Json]:
    """Return the event's envelope."""
    source, title, resources, detail = _content(event, origin)
    return {
        "version": "0",
        "id": str(uuid.uuid5(_NAMESPACE, f"{origin.source_id}/{event.number}")),
        "detail-type": title,
        "source": source,
        "account": origin.account,
        "time": event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": origin.region,
        "resources": resources,
        "detail": detail,
    }


def _content(event: Event, origin: Origin) -> tuple[str, str, Sequence[Json], Mapping[str, Json]]:
    change = event.data.get(CHANGE)
    if event.endpoint_name and isinstance(change, dict):
        resources = [origin.endpoint_arn(event.endpoint_name)]
        return SAGEMAKER, *_endpoint(event, change, resources[0])
    alarm = event.data.get("alarm")
    if event.kind == "alarm.changed" and isinstance(alarm, dict):
        return CLOUDWATCH, ALARM_CHANGE, [origin.alarm_arn(str(alarm["alarmName"]))], alarm
    concerned = [origin.endpoint_arn(event.endpoint_name)] if event.endpoint_name else []
    return OWN, title_of(event.kind), concerned, document(event)


def _endpoint(
    event: Event, change: Mapping[str, Any], arn: str
) -> tuple[str, Sequence[Json], Mapping[str, Json]]:
    detail: dict[str, Json] = {
        "EndpointName": event.endpoint_name,
        "EndpointArn": arn,
        "EndpointConfigName": change["config_name"],
        "ProductionVariants": _summaries(change["variants"]),
        "EndpointStatus": upper_snake(change["status"]),
        "CreationTime": _milliseconds(change["created_at"]),
        "LastModifiedTime": _milliseconds(change["changed_at"]),
        "Tags": change["tags"],
    }
    if "failure_reason" in change:
        detail["FailureReason"] = change["failure_reason"]
    if change["status"] != change["status_before"]:
        return ENDPOINT_CHANGE, [arn], detail
    if "pending" in change:
        pending = change["pending"]
        detail["PendingDeploymentSummary"] = {
            "EndpointConfigName": pending["config_name"],
            "StartTime": _milliseconds(pending.get("began_at", change["changed_at"])),
            "ProductionVariants": _rising(pending),
        }
    return DEPLOYMENT_CHANGE, [arn], detail


def _summaries(variants: Sequence[Mapping[str, Any]]) -> list[Json]:
    return [
        {
            "VariantName": each["name"],
            "DesiredWeight": float(each["weight"]),
            "DesiredInstanceCount": float(each["instances"]),
        }
        for each in variants
    ]


def _rising(pending: Mapping[str, Any]) -> list[Json]:
    """Tell how far the new variants have come, where they come in stages."""
    if "stage" not in pending:
        return _summaries(pending["variants"])
    status: Json = {
        "Status": VARIANT_STATUS[Stage(pending["stage"])],
        "StartTime": _milliseconds(pending["since"]),
    }
    return [
        {
            "VariantName": each["name"],
            "CurrentWeight": float(each["weight"]) * pending["share"],
            "DesiredWeight": float(each["weight"]),
            "DesiredInstanceCount": float(each["instances"]),
            "VariantStatus": [status],
        }
        for each in pending["variants"]
    ]


def upper_snake(status: str) -> str:
    """Write a status as EventBridge does: `InService` is `IN_SERVICE`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", status).upper()


def title_of(kind: str) -> str:
    """Write a kind as a detail-type: `lease.extended` is `Parkade Lease Extended`."""
    return " ".join(["Parkade", *(word.capitalize() for word in re.split(r"[._]", kind) if word)])


def _milliseconds(text: str) -> float:
    return float(round(datetime.fromisoformat(text).timestamp() * 1000))
