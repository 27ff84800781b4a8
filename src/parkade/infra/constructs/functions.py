"""Functions: one handler of `parkade.apps.lambdas` each, with a role and a log of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from parkade.apps import settings
from parkade.domain.errors import InvalidInput
from parkade.infra import checks, code, layers
from parkade.infra.constructs import queues
from parkade.infra.constructs.grants import Grants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_sqs as sqs

    from parkade.infra.stack import ParkadeStack

#: Lambda's limit for all variables of a function together.
_ENVIRONMENT_BYTES = 4096
#: What of them is counted for a name or an ARN that the deployment alone knows.
_UNKNOWN_BYTES = 128
_LIBRARIES, _CODE = "Libraries", "Code"


class Function(Construct):
    """A function on arm64: X-Ray, JSON logs, its own role, and a queue for events that it failed at."""

    def __init__(
        self,
        stack: ParkadeStack,
        construct_id: str,
        *,
        handler: str,
        about: str,
        environment: Mapping[str, str],
        timeout: int,
        memory: int = 512,
        asynchronous: bool = False,
        reserved: int | None = None,
        snap_start: bool = False,
        stale_after: int | None = None,
    ) -> None:
        """Make the function of `parkade.apps.lambdas.<handler>`; `timeout` is in seconds.

        `asynchronous` gives it a queue for events that failed: of one that answers somebody, that
        somebody hears. `environment` is told beside what all functions get. `stale_after` seconds an
        event that waits is given up, and none that failed is tried again: the next one does its work.
        """
        super().__init__(stack, construct_id)
        log = logs.LogGroup(
            self,
            "Log",
            retention=_retention(stack.estate.options.log_days),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{stack.estate.prefix}: {about}",
        )
        self.grants = Grants(stack, self.role)
        log.grant_write(self.role)
        self.grants.traces()
        #: Where events go that it failed at; None: whoever calls it hears of failures.
        self.dead_letters: sqs.Queue | None = queues.dead_letters(self) if asynchronous else None
        self.function = lambda_.Function(
            self,
            "Function",
            code=_code(stack),
            handler=f"{code.ENTRIES}.{handler}.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            layers=[_libraries(stack)],
            description=about,
            environment=variables(stack, construct_id, environment),
            timeout=cdk.Duration.seconds(timeout),
            memory_size=memory,
            reserved_concurrent_executions=reserved,
            role=self.role,
            log_group=log,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=self.dead_letters,
            max_event_age=cdk.Duration.seconds(stale_after) if stale_after else None,
            retry_attempts=0 if stale_after else None,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
        )
        checks.acknowledge(
            self.function,
            "L1",
            f"Python {layers.PYTHON} is what its libraries are fetched for, and tested with",
        )

    def calls_itself(self) -> None:
        """Allow it to have itself called: by a policy that it does not wait for, which names it."""
        iam.Policy(
            self,
            "Again",
            roles=[self.role],
            statements=[
                iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self.arn])
            ],
        )

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self.function.function_arn

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.function_name


def variables(stack: ParkadeStack, construct_id: str, beside: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a function. Raises InvalidInput for more than Lambda takes."""
    told = {
        "PARKADE_PROJECT": stack.estate.prefix,
        "PARKADE_SETTINGS": stack.estate.settings(),
        **beside,
    }
    unknown = sum(cdk.Token.is_unresolved(value) for value in told.values())
    size = len(json.dumps(told).encode()) + unknown * _UNKNOWN_BYTES
    if size > _ENVIRONMENT_BYTES:
        raise InvalidInput(
            f"the environment of function {construct_id} has {size} bytes, and Lambda allows "
            f"{_ENVIRONMENT_BYTES}",
            field="settings",
            hint="leave out of server.yaml what is as the default has it; have fewer routes",
        )
    return told


def _code(stack: ParkadeStack) -> lambda_.Code:
    """Return the code of a stack's functions, which is copied into the assembly."""
    found = stack.node.try_find_child(_CODE)
    if not isinstance(found, assets.Asset):
        found = assets.Asset(stack, _CODE, path=str(code.staged()))
    return lambda_.Code.from_bucket(found.bucket, found.s3_object_key)


def _libraries(stack: ParkadeStack) -> lambda_.ILayerVersion:
    """Return the layer of a stack's functions."""
    found = stack.node.try_find_child(_LIBRARIES)
    if isinstance(found, lambda_.LayerVersion):
        return found
    bundles = stack.estate.options.bundles
    folder = layers.stage(settings.server_settings().cache, bundles=bundles)
    return lambda_.LayerVersion(
        stack,
        _LIBRARIES,
        code=lambda_.Code.from_asset(
            str(folder),
            asset_hash=layers.fingerprint(bundles=bundles),
            asset_hash_type=cdk.AssetHashType.CUSTOM,
        ),
        description="the libraries of Parkade's functions",
        compatible_architectures=[lambda_.Architecture.ARM_64],
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
    )


def _retention(days: int) -> logs.RetentionDays:
    for each in logs.RetentionDays:
        if each.name == _RETENTIONS.get(days):
            return each
    raise InvalidInput(
        f"logs cannot be kept for {days} days",
        field="log_days",
        hint="CloudWatch has " + ", ".join(str(each) for each in _RETENTIONS),
    )


_RETENTIONS = {
    1: "ONE_DAY", 3: "THREE_DAYS", 7: "ONE_WEEK", 14: "TWO_WEEKS", 30: "ONE_MONTH",
    60: "TWO_MONTHS", 90: "THREE_MONTHS", 180: "SIX_MONTHS", 365: "ONE_YEAR",
}  # fmt: skip
