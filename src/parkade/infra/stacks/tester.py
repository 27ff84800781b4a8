"""The tester: a topic that starts several functions at once, each with its share of the clients.

A message to the topic is a run: of the schedule, or of anybody who may publish. Every function asks the
cases of the file and tells CloudWatch what it measured, in the series that `parkade tester` writes.
A route that asks for a token is asked with one that is made for it, and may invoke nothing else.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from parkade.apps.cloud.parameters import Shared
from parkade.apps.lambdas.tester import BY_SCHEDULE
from parkade.apps.projectfile.watched import subject_of
from parkade.domain.errors import InvalidInput
from parkade.domain.project.part import Kind
from parkade.domain.tester.measures import NAMESPACE
from parkade.infra import checks, sharing
from parkade.infra.constructs import queues
from parkade.infra.constructs.dashboards import dashboard
from parkade.infra.constructs.functions import Function
from parkade.infra.naming import Title
from parkade.infra.properties.dashboards import of_tester
from parkade.infra.stack import ParkadeStack

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.apps.projectfile.tester import TesterSetting
    from parkade.domain.project.part import Part
    from parkade.infra.estate import Estate

#: What the dashboard is called behind the prefix.
DASHBOARD = "TesterDashboard"
#: The parameter that names one of its functions: who asks it gets the verdict of its share.
FUNCTION = "tester/function-name"
#: Functions at most: each carries some clients, and a topic starts all of them at once.
MOST_FUNCTIONS = 20
#: Seconds of a function at most, and what of them is for beginning and for telling.
_LIMIT, _RESERVE = 900, 60
#: Seconds after which a message is no run any more. A run that failed is none again by itself: it would
#: be load that nobody asked for, at a time that nobody thinks of.
_STALE = 300


class TesterStack(ParkadeStack):
    """The functions of a tester, its topic, its schedule and its dashboard."""

    title = Title.TESTER
    about = "asks an endpoint or a route by cases whose answers are known"
    after = (
        Title.METER,
        Title.API,
        Title.SERVING,
        Title.FOUNDATION_MODELS,
        Title.MULTI_MODEL,
    )

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack. Raises InvalidInput for runs that are longer than functions live."""
        super().__init__(scope, construct_id, estate=estate)
        (part,) = estate.parts(Kind.TESTER)
        setting = _setting(estate)
        _require_time(setting)
        self.topic = self._topic()
        self._cases = self._asset(part)
        self._environment = self._environment_of(part, setting)
        self.functions = [
            self._function(number, clients, part)
            for number, clients in enumerate(shares(setting.clients), 1)
        ]
        if setting.schedule is not None:
            self._schedule(setting.schedule, setting.timezone)
        dashboard(
            self,
            "Dashboard",
            name=f"{estate.prefix}-{DASHBOARD}",
            shelves=of_tester(subject_of(estate.document)),
        )
        sharing.publish(self, "tester/topic-arn", self.topic.topic_arn)
        sharing.publish(self, FUNCTION, self.functions[0].name)
        cdk.CfnOutput(
            self, "TopicArn", value=self.topic.topic_arn, description="a message to it is a run"
        )

    @classmethod
    def wanted(cls, estate: Estate) -> bool:
        """Tell whether the file has a tester."""
        return any(estate.parts(Kind.TESTER))

    def _topic(self) -> sns.Topic:
        """Return the topic of runs: its messages say who asks, and nothing that is to be hidden."""
        return sns.Topic(
            self,
            "Runs",
            display_name=f"Tester of {self.estate.prefix}"[:100],
            enforce_ssl=True,
        )

    def _asset(self, part: Part) -> assets.Asset:
        """Return the file of cases, which travels with the deployment."""
        with tempfile.TemporaryDirectory(prefix="parkade-cases-") as folder:
            path = Path(folder) / "cases.json"
            path.write_text(json.dumps(part.content["cases"]), encoding="utf-8")
            return assets.Asset(self, "Cases", path=str(path))

    def _environment_of(self, part: Part, setting: TesterSetting) -> dict[str, str]:
        document = self.estate.document
        route = document.routes.get(setting.route or "")
        endpoint = f"{self.estate.prefix}-{route.endpoint if route else setting.endpoint}"
        told = {"PARKADE_TESTED_ENDPOINT": endpoint}
        if route is not None:
            told["PARKADE_URL"] = sharing.shared(self, Shared.API_URL)
            if route.auth == "token":
                told["PARKADE_TOKEN_SECRET"] = self._token(setting, endpoint, part)
        return told

    def _token(self, setting: TesterSetting, endpoint: str, part: Part) -> str:
        """Return the ARN of the secret with the token: the file's own, or one that is made."""
        if setting.token is not None:
            if setting.token.aws_secret is None:
                raise InvalidInput(
                    f"{setting.token} would stand readable in the stack's template",
                    field="tester.token",
                    hint="leave it out, and the stack makes a token; or give {aws_secret: ARN}",
                )
            return setting.token.aws_secret
        secret = secretsmanager.Secret(
            self,
            # Another endpoint is another token, and another secret.
            f"Token{endpoint}",
            description=f"{part.name}: the token that it asks with",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=48, exclude_punctuation=True
            ),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        checks.acknowledge(secret, "SMG4", "it is made anew with the stack, and nobody sees it")
        making = self._token_maker()
        making.grants.secret(secret.secret_arn)
        cdk.CustomResource(
            self,
            "TesterToken",
            resource_type="Custom::TesterToken",
            service_token=making.arn,
            properties={
                "TokenName": part.name,
                "EndpointName": endpoint,
                "Secret": secret.secret_arn,
            },
        )
        return secret.secret_arn

    def _token_maker(self) -> Function:
        """Return the function that makes the token, and revokes it."""
        making = Function(
            self,
            "TokenMaker",
            handler="testertoken",
            about="makes the token that the tester asks with, and revokes it",
            environment={
                "PARKADE_TABLE": sharing.shared(self, Shared.TABLE),
                "PARKADE_TOKENS_TABLE": sharing.shared(self, Shared.TOKENS),
                "PARKADE_SERVER_KEY": sharing.shared(self, Shared.SERVER_KEY),
            },
            timeout=60,
        )
        making.grants.table(
            self.format_arn(
                service="dynamodb",
                resource="table",
                resource_name=sharing.shared(self, Shared.TOKENS),
            ),
            "ConditionCheckItem",
            "GetItem",
            "PutItem",
            "Scan",
        )
        making.grants.table(sharing.shared(self, Shared.TABLE_ARN), "ConditionCheckItem", "PutItem")
        making.grants.secret(sharing.shared(self, Shared.SERVER_KEY))
        return making

    def _function(self, number: int, clients: int, part: Part) -> Function:
        content: dict[str, Any] = {
            **{name: value for name, value in part.content.items() if value is not None},
            "clients": clients,
            "cases": self._cases.s3_object_url,
        }
        # When it runs is the rule's affair.
        content = {k: v for k, v in content.items() if k not in {"schedule", "timezone"}}
        made = Function(
            self,
            f"Tester{number}",
            handler="tester",
            about=f"{clients} of the tester's clients",
            environment={"PARKADE_TESTER": self.to_json_string(content), **self._environment},
            timeout=_LIMIT,
            asynchronous=True,
            stale_after=_STALE,
        )
        endpoint = self._environment["PARKADE_TESTED_ENDPOINT"]
        made.grants.endpoints("DescribeEndpoint", names=[endpoint])
        if "PARKADE_URL" not in self._environment:
            made.grants.endpoints("InvokeEndpoint", names=[endpoint])
        if "PARKADE_TOKEN_SECRET" in self._environment:
            made.grants.secret(self._environment["PARKADE_TOKEN_SECRET"])
        made.grants.allow(
            ["s3:GetObject"], [self._cases.bucket.arn_for_objects(self._cases.s3_object_key)]
        )
        made.grants.figures(namespace=NAMESPACE)
        self.topic.add_subscription(
            subscriptions.LambdaSubscription(made.function, dead_letter_queue=made.dead_letters)
        )
        return made

    def _schedule(self, schedule: str, timezone: str | None) -> None:
        """Have a message published by the schedule, on the wall clock that it names."""
        role = iam.Role(
            self,
            "ScheduleRole",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            ),
            description=f"{self.estate.prefix}: begins runs of the tester",
        )
        self.topic.grant_publish(role)
        undelivered = queues.dead_letters(self, "Undelivered")
        undelivered.grant_send_messages(role)
        scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"{self.estate.prefix}: runs of the tester",
            schedule_expression=schedule,
            schedule_expression_timezone=timezone or "UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.topic.topic_arn,
                role_arn=role.role_arn,
                input=json.dumps({"by": BY_SCHEDULE}),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=undelivered.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=120, maximum_retry_attempts=2
                ),
            ),
        )


def shares(clients: int) -> list[int]:
    """Return how many clients each function carries: one each, as far as there may be functions."""
    count = min(clients, MOST_FUNCTIONS)
    each, more = divmod(clients, count)
    return [each + (number < more) for number in range(count)]


def _setting(estate: Estate) -> TesterSetting:
    setting = estate.document.tester
    if setting is None:
        raise ValueError("the project has a tester, and its file has none")
    return setting


def _require_time(setting: TesterSetting) -> None:
    if setting.duration_seconds > _LIMIT - _RESERVE:
        raise InvalidInput(
            f"a run of {setting.duration_seconds:g} s is longer than a function lives",
            field="tester.duration_seconds",
            hint=f"give {_LIMIT - _RESERVE} or less at this stage; schedule it more often",
        )
