"""The meter: the table of leases, the sweep that holds endpoints to them, and who is told.

Every minute a rule calls the sweep, and for each lease that runs an execution of the timer waits for
its very second. When the stack is deleted, all leases are ended first and their endpoints deleted:
nothing that the meter started goes on running without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from parkade.adapters.aws.dynamodb import shape
from parkade.apps.cloud.parameters import Shared
from parkade.infra import checks, sharing
from parkade.infra.constructs import queues
from parkade.infra.constructs.functions import Function
from parkade.infra.constructs.tables import table
from parkade.infra.naming import Title
from parkade.infra.stack import ParkadeStack

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.infra.estate import Estate

#: Seconds. The sweep hands over to the next one in time; see services/sweep.py.
_SWEEP_SECONDS = 300


class MeterStack(ParkadeStack):
    """Leases, and what holds endpoints to them."""

    title = Title.METER
    about = "leases, the sweep that starts and stops endpoints by them, and notices"

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack."""
        super().__init__(scope, construct_id, estate=estate)
        self.table = table(self, "Leases", shape.MAIN, stream=True)
        self.server_key = self._key()
        self.topic = self._topic()
        self.bus = events.EventBus(
            self, "Events", description=f"{estate.prefix}: events of Parkade"
        )
        self.sweep = self._sweep()
        self._publish()

    @property
    def variables(self) -> dict[str, str]:
        """What functions that decide about endpoints are told."""
        return {
            "PARKADE_TABLE": self.table.table_name,
            "PARKADE_TOPIC": self.topic.topic_arn,
            "PARKADE_BUS": self.bus.event_bus_name,
        }

    def _key(self) -> secretsmanager.Secret:
        key = secretsmanager.Secret(
            self,
            "ServerKey",
            description=f"{self.estate.prefix}: what tokens and links are hashed with",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
            removal_policy=self.removal,
        )
        checks.acknowledge(key, "SMG4", "another key would invalidate every token that was given")
        return key

    def _topic(self) -> sns.Topic:
        """Return the topic of notices, under a key that CloudWatch and EventBridge may use."""
        key = kms.Key(
            self,
            "NoticesKey",
            description=f"{self.estate.prefix}: notices",
            enable_key_rotation=True,
            removal_policy=self.removal,
        )
        for service in (
            "cloudwatch.amazonaws.com",
            "events.amazonaws.com",
            "sagemaker.amazonaws.com",
        ):
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(service)],
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=["*"],  # of a key's own policy: the key
                    conditions={"StringEquals": {"aws:SourceAccount": self.account}},
                )
            )
        return sns.Topic(
            self,
            "Notices",
            display_name=f"Parkade {self.estate.prefix}"[:100],
            master_key=key,
            enforce_ssl=True,
        )

    def _sweep(self) -> Function:
        sweep = Function(
            self,
            "Sweep",
            handler="sweep",
            about="starts and stops endpoints by their leases",
            environment=self.variables,
            timeout=_SWEEP_SECONDS,
            asynchronous=True,
            reserved=1,
        )
        events.Rule(
            self,
            "Minute",
            description=f"{self.estate.prefix}: sweeps every minute",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[
                targets.LambdaFunction(
                    sweep.function,
                    dead_letter_queue=queues.dead_letters(self, "MinuteDeadLetters"),
                    retry_attempts=2,
                    max_event_age=cdk.Duration.minutes(2),
                )
            ],
        )
        return sweep

    def _publish(self) -> None:
        for shared, value in {
            Shared.TABLE: self.table.table_name,
            Shared.TABLE_ARN: self.table.table_arn,
            Shared.TOPIC: self.topic.topic_arn,
            Shared.BUS: self.bus.event_bus_name,
            Shared.BUS_ARN: self.bus.event_bus_arn,
            Shared.SERVER_KEY: self.server_key.secret_arn,
            Shared.SWEEP: self.sweep.arn,
            Shared.SWEEP_NAME: self.sweep.name,
        }.items():
            sharing.publish(self, shared, value)
