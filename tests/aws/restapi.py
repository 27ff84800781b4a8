"""A REST API as its template has it: methods by path, authorizers, models, limits, its stage."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.aws.physical import Unresolved

if TYPE_CHECKING:
    from tests.aws.template import Assembly, Resource, Stack

_GATEWAY = "AWS::ApiGateway::"


class Refused(Exception):
    """A request goes no further; the name is that of the gateway's response."""

    def __init__(self, kind: str, message: str | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Authorizer:
    """Who is asked before a method is carried out."""

    function: str
    kind: str
    sources: tuple[str, ...]
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method of one path."""

    verb: str
    #: As the API has it: `/endpoint-expiry`, `/v1/{proxy+}`.
    path: str
    properties: dict[str, Any]
    authorizer: Authorizer | None
    #: What a body has to be by content type, as JSON schemas.
    models: dict[str, Any] = field(default_factory=dict)
    #: Parameters that have to be given, as `method.request.querystring.name`.
    needed: tuple[str, ...] = ()

    @property
    def integration(self) -> dict[str, Any]:
        found = self.properties["Integration"]
        assert isinstance(found, dict)
        return found

    @property
    def key_needed(self) -> bool:
        return bool(self.properties.get("ApiKeyRequired", False))

    def parameters(self, path: str) -> dict[str, str] | None:
        """Return the path's parameters, None: it is of another path."""
        made = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", re.escape(self.path).replace("\\", ""))
        made = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", made)
        match = re.fullmatch(made, path)
        return match.groupdict() if match else None

    @property
    def rank(self) -> tuple[int, ...]:
        """Sorts: what is spelt out comes before what is named, that before what takes the rest."""
        return tuple(
            2 if part.endswith("+}") else 1 if part.startswith("{") else 0
            for part in self.path.split("/")
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A usage plan: how much a key may call."""

    rate: float | None
    burst: float | None
    quota: int | None
    period: str
    keys: frozenset[str]


class RestApi:
    """Reads one API."""

    def __init__(self, assembly: Assembly, resource: Resource) -> None:
        self.assembly = assembly
        self.stack: Stack = resource.stack
        self.resource = resource
        self.id = resource.ref
        self.binary = tuple(resource.properties.get("BinaryMediaTypes", ()))
        self.key_source = resource.properties.get("ApiKeySourceType", "HEADER")
        self._paths = {self.stack.attribute(resource.id, "RootResourceId"): "/"}
        for each in self._own("Resource"):
            self._paths[each.ref] = self._path(each)
        self.methods = [self._method(each) for each in self._own("Method")]
        (self.stage,) = list(self._own("Stage")) or [None]
        self.responses = {
            each.properties["ResponseType"]: each.properties
            for each in self._own("GatewayResponse")
        }
        self.plans = [self._plan(each) for each in self._own("UsagePlan")]

    @property
    def stage_name(self) -> str:
        return str(self.stage.properties["StageName"]) if self.stage else "prod"

    def find(self, verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
        """Return the method for a request, with the parameters in its path."""
        ways = sorted({each.path for each in self.methods})
        fitting = [
            each for each in self.methods if each.path in ways and each.parameters(path) is not None
        ]
        if not fitting:
            return None
        best = min(each.rank for each in fitting)
        for each in fitting:
            if each.rank == best and each.verb in {verb, "ANY"}:
                return each, each.parameters(path) or {}
        return None

    def arn(self, verb: str, path: str) -> str:
        """Return what policies call a request."""
        return self.assembly.arn(
            "execute-api", f"{self.id}/{self.stage_name}/{verb}/{path.lstrip('/')}"
        )

    # -- inside ------------------------------------------------------------------------------

    def _own(self, kind: str) -> list[Resource]:
        found = self.assembly.resources(_GATEWAY + kind)
        return [each for each in found if self._is_ours(each)]

    def _is_ours(self, each: Resource) -> bool:
        if each.type == f"{_GATEWAY}UsagePlan":
            stages = each.properties.get("ApiStages", ())
            return any(stage["ApiId"] == self.id for stage in stages)
        return bool(each.properties.get("RestApiId") == self.id)

    def _path(self, resource: Resource) -> str:
        parent = resource.properties["ParentId"]
        if parent == self.stack.attribute(self.resource.id, "RootResourceId"):
            return f"/{resource.properties['PathPart']}"
        above = next(each for each in self._own("Resource") if each.ref == parent)
        return f"{self._path(above)}/{resource.properties['PathPart']}"

    def _method(self, resource: Resource) -> Method:
        properties = resource.properties
        models, needed = {}, []
        validators = {each.ref: each.properties for each in self._own("RequestValidator")}
        validator = validators.get(properties.get("RequestValidatorId"), {})
        if validator.get("ValidateRequestBody"):
            schemas = {each.ref: each.properties["Schema"] for each in self._own("Model")}
            for kind, name in properties.get("RequestModels", {}).items():
                models[kind] = schemas[name]
        if validator.get("ValidateRequestParameters"):
            declared = properties.get("RequestParameters", {})
            needed = [name for name, must in declared.items() if must in {True, "true"}]
        return Method(
            verb=properties["HttpMethod"],
            path=self._paths[properties["ResourceId"]],
            properties=properties,
            authorizer=self._authorizer(properties),
            models=models,
            needed=tuple(needed),
        )

    def _authorizer(self, properties: dict[str, Any]) -> Authorizer | None:
        kind = properties.get("AuthorizationType", "NONE")
        if kind == "NONE":
            return None
        if kind != "CUSTOM":
            raise Unresolved(f"methods that are authorized by {kind} are not served here")
        (found,) = [
            each.properties
            for each in self._own("Authorizer")
            if each.ref == properties["AuthorizerId"]
        ]
        return Authorizer(
            function=function_of(found["AuthorizerUri"]),
            kind=found["Type"],
            sources=tuple(
                part.strip() for part in found.get("IdentitySource", "").split(",") if part.strip()
            ),
            seconds=int(found.get("AuthorizerResultTtlInSeconds", 300)),
        )

    def _plan(self, resource: Resource) -> Plan:
        properties = resource.properties
        keys = [
            each.properties["KeyId"]
            for each in self.assembly.resources(f"{_GATEWAY}UsagePlanKey")
            if each.properties["UsagePlanId"] == resource.ref
        ]
        throttle, quota = properties.get("Throttle", {}), properties.get("Quota", {})
        return Plan(
            rate=throttle.get("RateLimit"),
            burst=throttle.get("BurstLimit"),
            quota=quota.get("Limit"),
            period=quota.get("Period", "DAY"),
            keys=frozenset(keys),
        )


def function_of(uri: str) -> str:
    """Return the ARN of the function in an integration's URI."""
    match = re.fullmatch(
        r"arn:aws:apigateway:[^:]+:lambda:path/[^/]+/functions/(.+)/invocations", uri
    )
    if match is None:
        raise Unresolved(f"{uri} invokes no function")
    return match[1]
