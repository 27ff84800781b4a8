"""The maintainer: watches endpoints that opted in, and walks the ladder for those nobody uses.

Three rules start its machine: an endpoint's change of state, a change of an alarm of its own, and a
day that is over, by which endpoints are picked up that were there before. Alarms of anybody else
reach nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets

from parkade.apps.cloud.parameters import Shared
from parkade.domain.idlealarm import PREFIX
from parkade.infra import sharing
from parkade.infra.constructs import queues
from parkade.infra.constructs.machinefunctions import machine_of, step_function
from parkade.infra.naming import Title
from parkade.infra.stack import ParkadeStack

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.infra.constructs.functions import Function
    from parkade.infra.estate import Estate

#: Seconds of a step; the daily run goes on in another step where it needs more.
_STEP_SECONDS = 300
#: States on the way to others: what they lead to is told as well.
_ON_THE_WAY = ("CREATING", "UPDATING", "SYSTEM_UPDATING", "ROLLING_BACK")


class MaintainerStack(ParkadeStack):
    """Rules and the state machine of the maintainer."""

    title = Title.MAINTAINER
    about = "warns about, stops and deletes endpoints that nobody uses and that opted in"
    after = (Title.METER,)

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack."""
        super().__init__(scope, construct_id, estate=estate)
        self.function = step_function(
            self,
            "Steps",
            handler="maintainer",
            about="looks whether an endpoint is used, and does what the ladder says",
            timeout=_STEP_SECONDS,
        )
        _allow(self.function)
        self.machine = machine_of(
            self,
            "Maintainer",
            self.function,
            definition="maintainer",
            function_variable="MaintainerFunction",
            about=f"{estate.prefix}: endpoints that nobody uses",
        )
        self._undelivered = queues.dead_letters(self, "Undelivered")
        self._rule(
            "EndpointChanged",
            "an endpoint serves, fails, or goes",
            pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Endpoint State Change"],
                detail={"EndpointStatus": [{"anything-but": list(_ON_THE_WAY)}]},
            ),
        )
        self._rule(
            "AlarmChanged",
            "an alarm of the maintainer goes off, or is over",
            pattern=events.EventPattern(
                source=["aws.cloudwatch"],
                detail_type=["CloudWatch Alarm State Change"],
                detail={"alarmName": [{"prefix": PREFIX}]},
            ),
        )
        self._rule("Daily", "every endpoint is looked at", schedule="rate(1 day)")
        sharing.publish(self, Shared.MAINTAINER, self.machine.arn)

    def _rule(
        self,
        construct_id: str,
        about: str,
        *,
        pattern: events.EventPattern | None = None,
        schedule: str | None = None,
    ) -> None:
        events.Rule(
            self,
            construct_id,
            description=f"{self.estate.prefix}: {about}",
            event_pattern=pattern,
            schedule=events.Schedule.expression(schedule) if schedule else None,
            targets=[
                targets.SfnStateMachine(
                    self.machine.machine,
                    dead_letter_queue=self._undelivered,
                    retry_attempts=8,
                    max_event_age=cdk.Duration.hours(2),
                )
            ],
        )


def _allow(function: Function) -> None:
    grants = function.grants
    grants.everywhere("cloudwatch:DescribeAlarms", "sagemaker:ListEndpointConfigs")
    grants.allow(
        [
            "cloudwatch:DeleteAlarms",
            "cloudwatch:ListTagsForResource",
            "cloudwatch:PutCompositeAlarm",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
        ],
        [grants.alarm(f"{PREFIX}*")],
        why="alarms of the maintainer alone, some for each endpoint that it watches",
    )
