"""The REST API itself: stage, access log, authorizer, limits, and how it refuses.

The authorizer tells who calls and what they may call; its answers are kept for half a minute, by
token, method and path, which is how long a revoked token may still be taken. It names the usage plan's key
as well, so that the plan's limits hold for everybody without anybody having to send a key.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from parkade.infra import checks
from parkade.infra.constructs import templates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.route import Rate
    from parkade.infra.constructs.functions import Function
    from parkade.infra.stack import ParkadeStack

#: What paths of the API begin with.
STAGE = "prod"
_CACHED_SECONDS = 30
#: Bodies that are no text; API Gateway passes all others as text.
_BINARY = (
    "application/octet-stream",
    "application/vnd.apache.parquet",
    "application/x-npy",
    "application/x-npz",
    "application/x-recordio-protobuf",
    "application/zip",
    "audio/mpeg",
    "audio/wav",
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/mp4",
)
_JSON = "application/json"


class Gateway(Construct):
    """A REST API of a stack."""

    def __init__(
        self,
        stack: ParkadeStack,
        construct_id: str,
        *,
        authorizer: Function,
        limits: Mapping[str, Rate],
    ) -> None:
        """Make the API; `limits` are those of methods, by `/path/METHOD`."""
        super().__init__(stack, construct_id)
        log = logs.LogGroup(
            self,
            "AccessLog",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.api = apigateway.RestApi(
            self,
            "Api",
            # By this its calls are counted: the alarms and dashboards of a project ask for it.
            rest_api_name=stack.estate.prefix,
            description=f"Parkade, {stack.estate.prefix}",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            api_key_source_type=apigateway.ApiKeySourceType.AUTHORIZER,
            binary_media_types=list(_BINARY),
            cloud_watch_role=True,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(log),
                access_log_format=_access(),
                tracing_enabled=True,
                metrics_enabled=True,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                method_options={
                    path: apigateway.MethodDeploymentOptions(
                        throttling_rate_limit=limit.per_second,
                        throttling_burst_limit=limit.burst,
                        metrics_enabled=True,
                        logging_level=apigateway.MethodLoggingLevel.ERROR,
                    )
                    for path, limit in limits.items()
                },
            ),
        )
        self.usage_key = usage_key(stack)
        self.validator = self.api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        self.authorizer = apigateway.RequestAuthorizer(
            self,
            "Authorizer",
            handler=authorizer.function,
            identity_sources=[
                apigateway.IdentitySource.header("Authorization"),
                apigateway.IdentitySource.context("httpMethod"),
                apigateway.IdentitySource.context("path"),
            ],
            results_cache_ttl=cdk.Duration.seconds(_CACHED_SECONDS),
        )
        self._plan(stack)
        self._refusals()
        self._acknowledge()

    def _plan(self, stack: ParkadeStack) -> None:
        limits = stack.estate.server.limits
        plan = self.api.add_usage_plan(
            "Plan",
            name=f"{stack.estate.prefix}-API",
            description="what all callers with a token may ask together",
            throttle=apigateway.ThrottleSettings(rate_limit=limits.rate, burst_limit=limits.burst),
            api_stages=[
                apigateway.UsagePlanPerApiStage(api=self.api, stage=self.api.deployment_stage)
            ],
        )
        plan.add_api_key(
            self.api.add_api_key(
                "PlanKey",
                api_key_name=f"{stack.estate.prefix}-API",
                value=self.usage_key,
                description="named by the authorizer for all callers; it opens nothing by itself",
            )
        )

    def _refusals(self) -> None:
        """Refuse in the one shape that the API has for errors."""
        kinds = apigateway.ResponseType
        for kind, status, code, message, hint in (
            (kinds.UNAUTHORIZED, "401", "unauthenticated", "no valid token was given",
             "send it in the header Authorization"),
            (kinds.ACCESS_DENIED, "403", "forbidden", "this token does not allow that",
             "ask an admin for one that does"),
            (kinds.MISSING_AUTHENTICATION_TOKEN, "404", "not_found",
             "there is no such path or method", "see the routes of parkade.yaml"),
            (kinds.BAD_REQUEST_BODY, "400", "invalid_input",
             "the body is not of the form that is asked for", "see docs/api.md"),
            (kinds.BAD_REQUEST_PARAMETERS, "400", "invalid_input",
             "a header that is needed is missing", "see docs/routes.md"),
            (kinds.THROTTLED, "429", "throttled", "more requests than are admitted",
             "come back later"),
            (kinds.QUOTA_EXCEEDED, "429", "throttled", "more requests than are admitted",
             "come back later"),
            (kinds.REQUEST_TOO_LARGE, "413", "too_large", "the body is larger than 10 MB",
             "put it into a bucket, and invoke the endpoint asynchronously"),
            (kinds.INTEGRATION_TIMEOUT, "504", "unavailable", "there was no answer within 29 s",
             "POST /startexecution answers later"),
        ):  # fmt: skip
            self.api.add_gateway_response(
                f"Refusal{code}{kind.response_type.title().replace('_', '')}",
                type=kind,
                status_code=status,
                templates={_JSON: templates.refused(code, message, hint)},
            )

    def _acknowledge(self) -> None:
        checks.acknowledge(
            self, "APIG3", "a firewall costs by the month; who wants one adds its own"
        )
        checks.acknowledge(
            self, "COG4", "callers have tokens of Parkade's, which its authorizer knows"
        )
        checks.acknowledge(
            self,
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
            "AmazonAPIGatewayPushToCloudWatchLogs]",
            "what API Gateway asks for to write logs, once for an account and region",
        )


def usage_key(stack: ParkadeStack) -> str:
    """Return the key of the usage plan: no secret, since callers cannot send it."""
    told = hashlib.sha256(f"parkade {stack.estate.prefix}".encode()).hexdigest()
    return f"{stack.estate.prefix}-{told[:32]}"


def _access() -> apigateway.AccessLogFormat:
    """Return the form of the access log: JSON, without what is secret."""
    field = apigateway.AccessLogField
    return apigateway.AccessLogFormat.custom(
        cdk.Fn.join(
            "",
            [
                '{"requestId":"', field.context_request_id(),
                '","at":"', field.context_request_time(),
                '","ip":"', field.context_identity_source_ip(),
                '","token":"', field.context_authorizer_principal_id(),
                '","method":"', field.context_http_method(),
                '","path":"', field.context_path(),
                '","status":"', field.context_status(),
                '","bytes":"', field.context_response_length(),
                '","latency":"', field.context_response_latency(),
                '","integrationLatency":"', field.context_integration_latency(),
                '","error":"', field.context_error_response_type(),
                '"}',
            ],
        )
    )  # fmt: skip
