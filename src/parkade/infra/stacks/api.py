"""The API: leases, the management API and the model routes, behind tokens.

`/endpoint-expiry` and `/v1/...` are the same application as everywhere, inside a function. Model routes
are those of the project file; one is public only where the file says so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from parkade.adapters.aws.dynamodb import shape
from parkade.apps.cloud.parameters import Shared
from parkade.domain.project.part import Kind
from parkade.domain.route import rate
from parkade.infra import checks, sharing
from parkade.infra.constructs import duties, forms, modelroutes, templates
from parkade.infra.constructs.buckets import bucket
from parkade.infra.constructs.functions import Function
from parkade.infra.constructs.gateway import Gateway, usage_key
from parkade.infra.constructs.grants import Grants
from parkade.infra.constructs.machines import Machine
from parkade.infra.constructs.tables import table
from parkade.infra.naming import Title, deployer_machine
from parkade.infra.stack import ParkadeStack

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.domain.event import Json
    from parkade.infra.estate import Estate

_JSON = "application/json"
_AUTHORIZER_SECONDS, _GATEWAY_SECONDS, _EXECUTION_SECONDS = 10, 29, 900
#: Days that answers are kept which are too long for an execution.
_ANSWER_DAYS = 7


class APIStack(ParkadeStack):
    """The REST API in front of the meter and of the endpoints."""

    title = Title.API
    about = "the API of leases, management and model routes, behind tokens"
    after = (Title.METER,)

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack."""
        super().__init__(scope, construct_id, estate=estate)
        self._routes = {part.name: part.content for part in estate.parts(Kind.ROUTE)}
        self._kinds = {path: route.kind for path, route in estate.document.routes.items()}
        self.tokens = table(self, "Tokens", shape.TOKENS)
        self.authorizer = self._authorizer()
        self.management = self._management()
        self.gateway = Gateway(self, "Gateway", authorizer=self.authorizer, limits=self._limits())
        self.machine = self._machine()
        self._runner = self._role_of_api("ExecutionsRole", "begins and describes executions")
        grants = Grants(self, self._runner)
        grants.allow(["states:StartExecution"], [self.machine.arn])
        grants.allow(
            ["states:DescribeExecution"],
            [f"{self._executions}:*"],
            why="executions of this one machine, which templates name by the caller's mark",
        )
        self._meter_methods()
        self._execution_methods()
        self._model_methods()
        self._tell()

    # -- functions ------------------------------------------------------------------------

    @property
    def _access(self) -> dict[str, str]:
        """What functions are told that know tokens."""
        return {
            "PARKADE_TOKENS_TABLE": self.tokens.table_name,
            "PARKADE_SERVER_KEY": sharing.shared(self, Shared.SERVER_KEY),
        }

    @property
    def _leases(self) -> dict[str, str]:
        """What functions are told that know leases."""
        return {
            "PARKADE_TABLE": sharing.shared(self, Shared.TABLE),
            "PARKADE_SWEEP": sharing.shared(self, Shared.SWEEP_NAME),
        }

    @property
    def _deployer(self) -> str:
        """The ARN that the deployer's machine has, where its stack is deployed."""
        return self.format_arn(
            service="states",
            resource="stateMachine",
            resource_name=deployer_machine(self.estate.prefix),
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    def _told_routes(self) -> str:
        told = {
            path: {"endpoint": route["endpoint_name"], "public": route["public"]}
            for path, route in self._routes.items()
        }
        return json.dumps(told, separators=(",", ":"))

    def _authorizer(self) -> Function:
        function = Function(
            self,
            "Authorizer",
            handler="authorizer",
            about="tells who calls, and what they may call",
            environment={
                **self._access,
                "PARKADE_ROUTES": self._told_routes(),
                "PARKADE_USAGE_KEY": usage_key(self),
            },
            timeout=_AUTHORIZER_SECONDS,
        )
        function.grants.table(self.tokens.table_arn, "GetItem")
        function.grants.secret(sharing.shared(self, Shared.SERVER_KEY))
        return function

    def _management(self) -> lambda_.Alias:
        """Return the management API, started from a snapshot of its memory."""
        function = Function(
            self,
            "Management",
            handler="api",
            about="the management API",
            environment={
                **self._access,
                **self._leases,
                "PARKADE_DEPLOYER": self._deployer,
            },
            timeout=_GATEWAY_SECONDS,
            memory=1024,
            snap_start=True,
        )
        grants = function.grants
        duties.records(grants, sharing.shared(self, Shared.TABLE_ARN))
        duties.managing(grants, self.tokens.table_arn)
        grants.own_objects()
        # The machine may come after this stack, or never: the function looks before it takes an order.
        grants.allow(["states:DescribeStateMachine", "states:StartExecution"], [self._deployer])
        grants.functions(sharing.shared(self, Shared.SWEEP))
        grants.secret(sharing.shared(self, Shared.SERVER_KEY))
        return lambda_.Alias(
            self, "ManagementLive", alias_name="live", version=function.function.current_version
        )

    def _invoke(self) -> Function:
        function = Function(
            self,
            "Invoke",
            handler="invoke",
            about="passes requests of model routes through",
            environment={**self._leases, "PARKADE_ROUTES": self._told_routes()},
            timeout=_GATEWAY_SECONDS,
        )
        duties.asking(function.grants, sharing.shared(self, Shared.TABLE_ARN))
        function.grants.endpoints(
            "DescribeEndpoint", "InvokeEndpoint", names=self._endpoints("lambda")
        )
        function.grants.functions(sharing.shared(self, Shared.SWEEP))
        return function

    def _machine(self) -> Machine:
        """Return the machine of invocations that outlast the API, with the function that invokes."""
        answers = bucket(self, "Answers", days=_ANSWER_DAYS)
        function = Function(
            self,
            "Execution",
            handler="execution",
            about="invokes an endpoint for an execution",
            environment={
                "PARKADE_TABLE": sharing.shared(self, Shared.TABLE),
                "PARKADE_SWEEP": sharing.shared(self, Shared.SWEEP_NAME),
                "PARKADE_BUCKET": answers.bucket_name,
            },
            timeout=_EXECUTION_SECONDS,
        )
        duties.asking(function.grants, sharing.shared(self, Shared.TABLE_ARN))
        function.grants.endpoints("DescribeEndpoint", "InvokeEndpoint")
        function.grants.functions(sharing.shared(self, Shared.SWEEP))
        function.grants.allow(
            ["s3:PutObject"],
            [f"{answers.bucket_arn}/*"],
            why="answers of executions, in the one bucket that is for them",
        )
        machine = Machine(
            self,
            "Executions",
            definition="execution",
            about=f"{self.estate.prefix}: invocations that outlast the API",
            substitutions={"ExecutionFunction": function.arn},
            name=f"{self.estate.prefix}-Executions",
        )
        machine.grants.functions(function.arn)
        return machine

    @property
    def _executions(self) -> str:
        """What the ARNs of the machine's executions begin with."""
        return self.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.estate.prefix}-Executions",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    # -- methods --------------------------------------------------------------------------

    def _meter_methods(self) -> None:
        root = self.gateway.api.root
        application = apigateway.LambdaIntegration(
            self.management, proxy=True, timeout=cdk.Duration.seconds(_GATEWAY_SECONDS)
        )
        expiry = root.add_resource("endpoint-expiry")
        self._guarded(expiry, "GET", application)
        self._guarded(expiry, "POST", application, model=("Expiry", forms.EXPIRY))
        rest = root.add_resource("v1").add_resource("{proxy+}")
        self._guarded(rest, "ANY", application)

    def _execution_methods(self) -> None:
        root = self.gateway.api.root
        self._guarded(
            root.add_resource("startexecution"),
            "POST",
            modelroutes.execution(
                templates.start(self.machine.arn),
                "StartExecution",
                self._runner,
                refused=templates.not_started(),
            ),
            model=("Start", forms.START),
            method_responses=modelroutes.answered(),
        )
        self._guarded(
            root.add_resource("describeexecution"),
            "POST",
            modelroutes.execution(
                templates.describe(self._executions),
                "DescribeExecution",
                self._runner,
                refused=templates.not_described(),
            ),
            model=("Describe", forms.DESCRIBE),
            method_responses=modelroutes.answered(),
        )

    def _model_methods(self) -> None:
        passing = self._invoke() if self._paths("lambda") else None
        direct = self._direct() if self._paths("direct") else None
        for path, route in self._routes.items():
            resource = self.gateway.api.root.add_resource(path[1:])
            endpoint = str(route["endpoint_name"])
            public = bool(route["public"])
            if passing is not None and self._kinds[path] == "lambda":
                integration = apigateway.LambdaIntegration(
                    passing.function, proxy=True, timeout=_patience(route["timeout_seconds"])
                )
                self._method(resource, "POST", integration, public=public)
            elif direct is not None and self._kinds[path] == "direct":
                waits = endpoint in self._asynchronous
                self._method(
                    resource,
                    "POST",
                    modelroutes.invocation(endpoint, direct, asynchronous=waits),
                    public=public,
                    **modelroutes.invoked(asynchronous=waits),
                )
            else:
                self._guarded(
                    resource,
                    "POST",
                    modelroutes.execution(
                        templates.start_for(self.machine.arn, endpoint),
                        "StartExecution",
                        self._runner,
                        refused=templates.not_started(),
                    ),
                    method_responses=modelroutes.answered(),
                )

    def _direct(self) -> iam.Role:
        """Return the role by which API Gateway asks the runtime; of both ways, those that it goes."""
        role = self._role_of_api("DirectRole", "invokes the endpoints of direct routes")
        reached = set(self._endpoints("direct"))
        for operation, names in (
            ("InvokeEndpoint", reached - self._asynchronous),
            ("InvokeEndpointAsync", reached & self._asynchronous),
        ):
            if names:
                Grants(self, role).endpoints(operation, names=sorted(names))
        return role

    def _guarded(
        self,
        resource: apigateway.IResource,
        verb: str,
        integration: apigateway.Integration,
        *,
        model: tuple[str, apigateway.JsonSchema] | None = None,
        **options: Any,
    ) -> None:
        if model is not None:
            name, form = model
            options["request_models"] = {
                _JSON: self.gateway.api.add_model(name, content_type=_JSON, schema=form)
            }
        self._method(resource, verb, integration, public=False, **options)

    def _method(
        self,
        resource: apigateway.IResource,
        verb: str,
        integration: apigateway.Integration,
        *,
        public: bool,
        **options: Any,
    ) -> None:
        method = resource.add_method(
            verb,
            integration,
            request_validator=self.gateway.validator,
            api_key_required=not public,
            authorization_type=(
                apigateway.AuthorizationType.NONE if public else apigateway.AuthorizationType.CUSTOM
            ),
            authorizer=None if public else self.gateway.authorizer,
            **options,
        )
        if public:
            checks.acknowledge(method, "APIG4", "the project file says that this route is public")
            checks.acknowledge(method, "COG4", "the project file says that this route is public")

    # -- beside ---------------------------------------------------------------------------

    @property
    def _asynchronous(self) -> set[str]:
        prefix = self.estate.prefix
        endpoints = self.estate.document.endpoints.items()
        return {f"{prefix}-{key}" for key, each in endpoints if each.asynchronous is not None}

    def _paths(self, kind: str) -> list[str]:
        return [path for path, each in self._kinds.items() if each == kind]

    def _endpoints(self, kind: str) -> list[str]:
        return sorted({str(self._routes[path]["endpoint_name"]) for path in self._paths(kind)})

    def _limits(self) -> dict[str, Any]:
        found = {}
        for path, route in self._routes.items():
            given: Json = route["rate"]
            if isinstance(given, dict):
                found[f"{path}/POST"] = rate(
                    float(str(given["per_second"])), int(str(given["burst"]))
                )
        return found

    def _role_of_api(self, construct_id: str, about: str) -> iam.Role:
        return iam.Role(
            self,
            construct_id,
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            description=f"{self.estate.prefix}: {about}",
        )

    def _tell(self) -> None:
        url = self.gateway.api.url_for_path("/")
        sharing.publish(self, Shared.TOKENS, self.tokens.table_name)
        sharing.publish(self, Shared.API_URL, url)
        sharing.publish(self, Shared.API_ID, self.gateway.api.rest_api_id)
        sharing.publish(self, Shared.API_NAME, self.gateway.api.rest_api_name)
        cdk.CfnOutput(self, "Url", value=url, description="address of the API")
        cdk.CfnOutput(
            self, "TokensTable", value=self.tokens.table_name, description="table of tokens"
        )


def _patience(seconds: Json) -> cdk.Duration:
    """Return how long API Gateway waits for a function; 50 ms is the least that it can."""
    if not isinstance(seconds, int | float):
        return cdk.Duration.seconds(_GATEWAY_SECONDS)
    return cdk.Duration.millis(max(50, round(seconds * 1000)))
