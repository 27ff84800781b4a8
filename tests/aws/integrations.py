"""What stands behind a method: a function that gets the whole request, a service's own API, or nothing.

Everything here goes by what the template says: mappings of parameters, templates of bodies, which
answers are which responses. `Request` and `Reply` are bytes with headers, as they come and go.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.aws import policies
from tests.aws.mapping import found_by, variables
from tests.aws.physical import Unresolved
from tests.aws.restapi import Refused, function_of
from tests.aws.vtl import render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.aws.restapi import Method, RestApi
    from tests.aws.runtime_api import Answer

_SERVICE = re.compile(
    r"arn:aws:apigateway:[^:]+:(?:(?P<sub>[\w.-]+)\.)?(?P<service>[\w-]+)"
    r":(?P<kind>path|action)/(?P<rest>.*)"
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, as it came."""

    verb: str
    #: Without the stage.
    path: str
    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]]
    body: bytes
    source: str = "127.0.0.1"

    def header(self, name: str) -> str | None:
        return next(
            (value for key, value in reversed(self.headers) if key.lower() == name.lower()), None
        )

    @property
    def content_type(self) -> str:
        return (self.header("Content-Type") or "application/json").split(";")[0].strip().lower()

    def parameter(self, source: str, path: Mapping[str, str]) -> str | None:
        """Return what `method.request.header.Name` and its like refer to."""
        _, _, kind, name = source.split(".", 3)
        if kind == "header":
            return self.header(name)
        if kind == "path":
            return path.get(name)
        return next((value for key, value in self.query if key == name), None)


@dataclass(kw_only=True)
class Reply:
    """One answer, as it goes."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    #: The gateway's own response that this is, if it is one.
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Who carries out what methods are integrated with."""

    invoke: Callable[[str, Any], Answer]
    #: service, sub-domain, role, verb, path, headers, body: the service's answer.
    call: Callable[[str, str, str, str, str, Mapping[str, str], bytes], Reply]


def event(
    api: RestApi,
    method: Method,
    request: Request,
    path: Mapping[str, str],
    context: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the event that a function gets, form 1.0, with the body in base64 where it is binary."""
    many: dict[str, list[str]] = {}
    for name, value in request.headers:
        many.setdefault(name, []).append(value)
    queries: dict[str, list[str]] = {}
    for name, value in request.query:
        queries.setdefault(name, []).append(value)
    binary = is_binary(api, request.header("Content-Type"))
    body = base64.b64encode(request.body).decode() if binary else request.body.decode()
    return {
        "resource": method.path,
        "path": request.path,
        "httpMethod": request.verb,
        "headers": {name: values[-1] for name, values in many.items()} or None,
        "multiValueHeaders": many or None,
        "queryStringParameters": {name: values[-1] for name, values in queries.items()} or None,
        "multiValueQueryStringParameters": queries or None,
        "pathParameters": dict(path) or None,
        "stageVariables": api.stage.properties.get("Variables") if api.stage else None,
        "requestContext": dict(context),
        "body": body if request.body else None,
        "isBase64Encoded": binary,
    }


def is_binary(api: RestApi, content_type: str | None) -> bool:
    """Tell whether a content is passed on as bytes, by the API's list of media types."""
    plain = (content_type or "application/json").split(";")[0].strip()
    return any(policies.matches(each.replace("~1", "/"), plain) for each in api.binary)


class BadAnswer(Exception):
    """A function's answer is none that a gateway can pass on."""


def from_function(answer: Answer, accepts: str | None, api: RestApi) -> Reply:
    """Return the reply in a function's answer. Raises BadAnswer."""
    if answer.failed:
        raise BadAnswer(f"the function failed: {answer.payload.decode()}")
    told = answer.document
    known = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    if not isinstance(told, dict) or "statusCode" not in told or not set(told) <= known:
        raise BadAnswer(f"no answer for a gateway: {told!r}")
    headers = {name: [str(value)] for name, value in (told.get("headers") or {}).items()}
    for name, values in (told.get("multiValueHeaders") or {}).items():
        headers = {key: each for key, each in headers.items() if key.lower() != name.lower()}
        headers[name] = [str(each) for each in values]
    body = told.get("body") or ""
    if not isinstance(body, str):
        raise BadAnswer(f"a body has to be text: {body!r}")
    # Bytes come out as bytes only where the caller's Accept is one of the API's binary types.
    wanted = (accepts or "").split(",")[0].split(";")[0].strip()
    opened = told.get("isBase64Encoded") and any(
        policies.matches(each, wanted or "application/json") for each in api.binary
    )
    content = base64.b64decode(body) if opened else body.encode()
    pairs = [(name, value) for name, values in headers.items() for value in values]
    if not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", "application/json"))
    return Reply(status=int(told["statusCode"]), headers=pairs, body=content)


def carried_out(
    api: RestApi,
    method: Method,
    request: Request,
    path: Mapping[str, str],
    context: Mapping[str, Any],
    around: Surroundings,
) -> Reply:
    """Return what a method answers, once the request may pass. Raises Refused."""
    integration = method.integration
    if integration["Type"] == "AWS_PROXY":
        function = function_of(integration["Uri"])
        answer = around.invoke(function, event(api, method, request, path, context))
        return from_function(answer, request.header("Accept"), api)
    names = _names(api, request, path, context)
    body = _body(integration, request, names)
    if integration["Type"] == "MOCK":
        status = json.loads(body or b"{}").get("statusCode", 200)
        return _response(method, Reply(status=status, body=b""), names, context)
    if integration["Type"] != "AWS":
        raise Unresolved(f"integrations of type {integration['Type']} are not carried out here")
    answered = _called(integration, request, path, context, body, around)
    return _response(method, answered, names, context)


def _names(
    api: RestApi, request: Request, path: Mapping[str, str], context: Mapping[str, Any]
) -> dict[str, Any]:
    return variables(
        body=request.body.decode(errors="replace"),
        context={**context, "responseOverride": {"header": {}}},
        path=path,
        query=dict(request.query),
        headers=dict(request.headers),
        stage=api.stage.properties.get("Variables", {}) if api.stage else {},
    )


def _body(
    integration: Mapping[str, Any],
    request: Request,
    names: Mapping[str, Any],
) -> bytes:
    templates = integration.get("RequestTemplates") or {}
    if request.content_type in templates:
        return render(templates[request.content_type], names).encode()
    behaviour = integration.get("PassthroughBehavior", "WHEN_NO_MATCH")
    if behaviour == "NEVER" or (behaviour == "WHEN_NO_TEMPLATES" and templates):
        raise Refused("UNSUPPORTED_MEDIA_TYPE")
    return request.body


def _called(
    integration: Mapping[str, Any],
    request: Request,
    path: Mapping[str, str],
    context: Mapping[str, Any],
    body: bytes,
    around: Surroundings,
) -> Reply:
    match = _SERVICE.fullmatch(integration["Uri"])
    assert match is not None, integration["Uri"]
    headers: dict[str, str] = {"Content-Type": request.header("Content-Type") or "application/json"}
    rest = match["rest"]
    query: list[str] = []
    for target, source in (integration.get("RequestParameters") or {}).items():
        value = _mapped(source, request, path, context)
        _, _, kind, name = target.split(".", 3)
        if value is None:
            continue
        if kind == "header":
            headers = {key: each for key, each in headers.items() if key.lower() != name.lower()}
            headers[name] = value
        elif kind == "path":
            rest = rest.replace("{" + name + "}", quote(value, safe=""))
        else:
            query.append(f"{quote(name)}={quote(value, safe='')}")
    verb = integration["IntegrationHttpMethod"]
    target = f"/{rest}" if match["kind"] == "path" else f"action:{rest}"
    if query:
        target += "?" + "&".join(query)
    role = integration["Credentials"]
    return around.call(match["service"], match["sub"] or "", role, verb, target, headers, body)


def _mapped(
    source: str, request: Request, path: Mapping[str, str], context: Mapping[str, Any]
) -> str | None:
    if source.startswith("'"):
        return source[1:-1]
    if source.startswith("context."):
        found = found_by("$." + source.removeprefix("context."), dict(context))
        return None if found is None else str(found)
    if source.startswith("method.request.body"):
        document = json.loads(request.body or b"null")
        found = found_by("$" + source.removeprefix("method.request.body"), document)
        return None if found is None else found if isinstance(found, str) else json.dumps(found)
    return request.parameter(source, path)


def _response(
    method: Method, answered: Reply, names: Mapping[str, Any], context: Mapping[str, Any]
) -> Reply:
    """Return the integration response that an answer is: the first whose pattern is its status."""
    responses = method.integration.get("IntegrationResponses") or ()
    fitting = [
        each
        for each in responses
        if each.get("SelectionPattern")
        and re.fullmatch(each["SelectionPattern"], str(answered.status))
    ] or [each for each in responses if not each.get("SelectionPattern")]
    if not fitting:
        raise BadAnswer(f"no integration response is for {answered.status}")
    chosen = fitting[0]
    given = {name.lower(): value for name, value in answered.headers}
    headers = [
        (target.removeprefix("method.response.header."), value)
        for target, source in (chosen.get("ResponseParameters") or {}).items()
        if (value := _answered(source, given, context)) is not None
    ]
    kind = given.get("content-type", "application/json").split(";")[0]
    templates = chosen.get("ResponseTemplates") or {}
    body = answered.body
    if templates.get(kind):
        came = answered.body.decode(errors="replace")
        body = render(templates[kind], {**names, **_only_body(came, names)}).encode()
    if not any(name.lower() == "content-type" for name, _ in headers):
        plain = kind in templates or not templates
        headers.append(("Content-Type", kind if plain else "application/json"))
    # A template may say otherwise.
    told = names["context"]["responseOverride"]
    headers += list(told["header"].items())
    return Reply(status=int(told.get("status", chosen["StatusCode"])), headers=headers, body=body)


def _answered(source: str, given: Mapping[str, str], context: Mapping[str, Any]) -> str | None:
    """Return what a response's header is mapped from."""
    if source.startswith("'"):
        return source[1:-1]
    if source.startswith("integration.response.header."):
        return given.get(source.removeprefix("integration.response.header.").lower())
    found = found_by("$." + source.removeprefix("context."), dict(context))
    return None if found is None else str(found)


def _only_body(body: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return `$input` for a response: the same parameters, and the answer's body."""
    request = names["input"]
    return {
        "input": variables(
            body=body,
            path=request.path_parameters,
            query=request.query,
            headers=request.headers,
        )["input"]
    }
