"""Alarms of a project, as its file asks for them, told to a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs import Construct

    from parkade.domain.project.part import Part

TYPE = "AWS::CloudWatch::Alarm"


def alarms(scope: Construct, parts: Iterable[Part], *, topic: str) -> dict[str, cdk.CfnResource]:
    """Return the alarms by their names. The topic hears when one goes off, and when it is over.

    What a part has is what PutMetricAlarm takes, which is what CloudFormation takes.
    """
    made: dict[str, cdk.CfnResource] = {}
    for part in parts:
        content = dict(part.content)
        own = content.get("AlarmActions")
        content |= {
            "AlarmName": part.name,
            "AlarmActions": [*(own if isinstance(own, list) else ()), topic],
            "OKActions": [topic],
        }
        made[part.name] = cdk.CfnResource(scope, f"{part.key}Alarm", type=TYPE, properties=content)
    return made
