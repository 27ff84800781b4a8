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
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_secretsmanager as secretsmanager

from parkade.adapters.aws.dynamodb import shape
from parkade.apps.cloud.parameters import Shared
from parkade.infra import checks, sharing
from parkade.infra.constructs import duties, queues
from parkade.infra.constructs.functions import Function
from parkade.infra.constructs.machines import Machine
from parkade.infra.constructs.tables import table
from parkade.infra.constructs.topics import notices
from parkade.infra.naming import Title
from parkade.infra.stack import ParkadeStack

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.infra.estate import Estate

#: Seconds. The sweep hands over what there was no time for; the minute's calls queue behind it, for as
#: long as one sweep takes: by Lambda's own habit they would for six hours, each tried three times.
_SWEEP_SECONDS = 300
#: Seconds of a look at one endpoint; the machine gives up on it at 60.
_LOOK_SECONDS = 60
#: Seconds of a call in which endpoints are waited for that cannot be changed yet: Lambda's most.
_ENDING_SECONDS = 900
_NOTICES_SECONDS = 60


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
        self.topic = notices(self, "Notices")
        self.bus = events.EventBus(
            self, "Events", description=f"{estate.prefix}: events of Parkade"
        )
        self.timer, self.timer_function = self._timer()
        self.sweep = self._sweep()
        self.notices = self._notices()
        self.leasing = self._leasing()
        self.ending = self._ending()
        self._publish()

    @property
    def timer_name(self) -> str:
        """What the timer's machine is called: its own function has to know it before it is made."""
        return f"{self.estate.prefix}-Timer"

    @property
    def _timer_arn(self) -> str:
        return self.format_arn(
            service="states",
            resource="stateMachine",
            resource_name=self.timer_name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    @property
    def _variables(self) -> dict[str, str]:
        return {"PARKADE_TABLE": self.table.table_name, "PARKADE_TIMER": self._timer_arn}

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

    def _timer(self) -> tuple[Machine, Function]:
        """Return the machine that waits for the end of leases, and the function that looks then."""
        function = Function(
            self,
            "Look",
            handler="timer",
            about="looks at one endpoint when its time is up",
            environment=self._variables,
            timeout=_LOOK_SECONDS,
        )
        self._sweeping(function)
        machine = Machine(
            self,
            "Timer",
            definition="meter-timer",
            about=f"{self.estate.prefix}: waits for the end of leases",
            substitutions={"TimerFunction": function.arn},
            name=self.timer_name,
        )
        machine.grants.functions(function.arn)
        return machine, function

    def _sweep(self) -> Function:
        sweep = Function(
            self,
            "Sweep",
            handler="sweep",
            about="starts and stops endpoints by their leases",
            environment=self._variables,
            timeout=_SWEEP_SECONDS,
            memory=1024,
            asynchronous=True,
            reserved=1,
            stale_after=_SWEEP_SECONDS,
        )
        self._sweeping(sweep)
        sweep.calls_itself()
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

    def _sweeping(self, function: Function) -> None:
        """Allow what a sweep does, of all endpoints or of one."""
        duties.records(function.grants, self.table.table_arn)
        duties.running(function.grants)
        duties.timing(function.grants, self._timer_arn)

    def _ending_leases(self, function: Function) -> None:
        """Allow to end leases, and to stop their endpoints."""
        duties.records(function.grants, self.table.table_arn)
        duties.seeing(function.grants)
        duties.stopping(function.grants)

    def _notices(self) -> Function:
        """Return the function that tells people, and the bus, what is written down as an event."""
        function = Function(
            self,
            "Tell",
            handler="notices",
            about="tells the topic and the bus of events",
            environment={
                "PARKADE_TABLE": self.table.table_name,
                "PARKADE_TOPIC": self.topic.topic_arn,
                "PARKADE_BUS": self.bus.event_bus_name,
            },
            timeout=_NOTICES_SECONDS,
        )
        function.grants.publishing(self.topic.topic_arn)
        function.grants.events(self.bus.event_bus_arn)
        function.function.add_event_source(
            sources.DynamoEventSource(
                self.table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=100,
                bisect_batch_on_error=True,
                report_batch_item_failures=True,
                retry_attempts=10,
                max_record_age=cdk.Duration.hours(6),
                on_failure=sources.SqsDlq(queues.dead_letters(self, "EventsDeadLetters")),
                filters=[_EVENTS],
            )
        )
        checks.acknowledge(
            function.role,
            "IAM5[Resource::*]",
            "the streams of an account are listed without a name, and X-Ray has no resources",
        )
        return function

    def _leasing(self) -> Function:
        """Return the function that gives the project's endpoints their first lease."""
        function = Function(
            self,
            "Leasing",
            handler="leasing",
            about="gives endpoints that a stack describes their first lease",
            environment=self._variables,
            timeout=_ENDING_SECONDS,
        )
        self._ending_leases(function)
        function.grants.endpoints("AddTags", "DeleteTags")
        function.grants.to_configs("UpdateEndpoint")
        function.calls_itself()
        return function

    def _ending(self) -> Function:
        """Return the function that ends all leases when the stack goes."""
        function = Function(
            self,
            "Ending",
            handler="ending",
            about="ends all leases, and deletes their endpoints, when the stack is deleted",
            environment=self._variables,
            timeout=_ENDING_SECONDS,
        )
        self._ending_leases(function)
        # It stops by a sweep, which looks at everything that a sweep looks at.
        duties.measuring(function.grants)
        function.calls_itself()
        ending = cdk.CustomResource(
            self,
            "AllLeases",
            service_token=function.arn,
            resource_type="Custom::ParkadeAllLeases",
        )
        # It goes first: before the permissions of the function, before what starts endpoints again, and
        # before what tells people that their endpoint was stopped.
        ending.node.add_dependency(function, self.sweep, self.timer, self.notices)
        return function

    def _publish(self) -> None:
        for shared, value in {
            Shared.TABLE: self.table.table_name,
            Shared.TABLE_ARN: self.table.table_arn,
            Shared.TOPIC: self.topic.topic_arn,
            Shared.BUS: self.bus.event_bus_name,
            Shared.BUS_ARN: self.bus.event_bus_arn,
            Shared.TIMER: self.timer.arn,
            Shared.SETTINGS: self.estate.settings(),
            Shared.SERVER_KEY: self.server_key.secret_arn,
            Shared.SWEEP: self.sweep.arn,
            Shared.SWEEP_NAME: self.sweep.name,
            Shared.LEASES: self.leasing.arn,
        }.items():
            sharing.publish(self, shared, value)


#: Events that were written down: nothing of a lease that changes wakes the function.
_EVENTS = lambda_.FilterCriteria.filter(
    {
        "eventName": lambda_.FilterRule.is_equal("INSERT"),
        "dynamodb": {"NewImage": {"pk": {"S": lambda_.FilterRule.is_equal("event")}}},
    }
)
