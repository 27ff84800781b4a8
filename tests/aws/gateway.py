"""The REST API on loopback: what API Gateway does with a request, by what the template says.

In its order: the method is found, its authorizer asked, limits looked at, parameters and body
validated, the integration carried out. Refusals are the gateway's responses, as the template has
changed them. Each request leaves a line of the access log.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema

from tests.aws.authorizing import Authorizing
from tests.aws.integrations import BadAnswer, Reply, Request, carried_out, event
from tests.aws.limits import Limits
from tests.aws.mapping import found_by
from tests.aws.restapi import Refused
from tests.aws.vtl import render

if TYPE_CHECKING:
    from datetime import datetime

    from tests.aws.clock import SetClock
    from tests.aws.integrations import Surroundings
    from tests.aws.restapi import Method, RestApi

#: Status and message of the gateway's own responses, as they are without a change.
_RESPONSES = {
    "ACCESS_DENIED": (403, "User is not authorized to access this resource"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "Internal server error"),
    "AUTHORIZER_FAILURE": (500, "Internal server error"),
    "BAD_REQUEST_BODY": (400, "Invalid request body"),
    "BAD_REQUEST_PARAMETERS": (400, "Missing required request parameters"),
    "INTEGRATION_FAILURE": (504, "Network error communicating with endpoint"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "INVALID_API_KEY": (403, "Forbidden"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "QUOTA_EXCEEDED": (429, "Limit Exceeded"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "THROTTLED": (429, "Too Many Requests"),
    "UNAUTHORIZED": (401, "Unauthorized"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported Media Type"),
    "BAD_ANSWER": (502, "Internal server error"),
}
#: What the template may speak of all 4xx and 5xx by.
_GENERAL = {4: "DEFAULT_4XX", 5: "DEFAULT_5XX"}
#: API Gateway's limit of a request's body.
_MOST = 10 * 1024 * 1024
_LOGGED = re.compile(r"\$context\.([A-Za-z0-9_.]+)")


class Gateway:
    """One API's stage, at a URL of this machine."""

    def __init__(self, api: RestApi, around: Surroundings, clock: SetClock) -> None:
        self.api = api
        self._around = around
        self._clock = clock
        self.authorizing = Authorizing(clock.now, around.invoke)
        self._limits = Limits(api, clock.now)
        #: The lines of the access log.
        self.log: list[str] = []
        #: Why a function's answer was not passed on, for who reads a failed test.
        self.faults: list[str] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.gateway = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/{api.stage_name}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: Request) -> Reply:
        """Return what the gateway answers."""
        now = self._clock.now()
        context = self._context(request, now)
        reply = self._answered(request, context)
        context["status"] = str(reply.status)
        context["responseLength"] = str(len(reply.body))
        settings = self.api.stage.properties.get("AccessLogSetting") if self.api.stage else None
        if settings:
            put = lambda match: str(found_by("$." + match[1], context) or "-")  # noqa: E731
            self.log.append(_LOGGED.sub(put, settings["Format"]))
        return reply

    # -- inside ------------------------------------------------------------------------------

    def _answered(self, request: Request, context: dict[str, Any]) -> Reply:
        try:
            method, path = self._found(request)
            context["resourcePath"] = method.path
            if method.authorizer is not None:
                asked = {
                    **event(self.api, method, request, path, context),
                    "type": method.authorizer.kind,
                    "methodArn": self.api.arn(request.verb, request.path),
                }
                asked.pop("body")
                asked.pop("isBase64Encoded")
                context["authorizer"], key = self.authorizing.context(
                    method.authorizer, asked, lambda source: _identity(source, request, context)
                )
                if self.api.key_source == "AUTHORIZER":
                    context["identity"]["apiKey"] = key
            self._limits.check(method, context)
            self._validate(method, request, path)
            return carried_out(self.api, method, request, path, context, self._around)
        except Refused as refusal:
            return self._refused(refusal, context)
        except BadAnswer as error:
            self.faults.append(str(error))
            return self._refused(Refused("BAD_ANSWER"), context)

    def _found(self, request: Request) -> tuple[Method, dict[str, str]]:
        if len(request.body) > _MOST:
            raise Refused("REQUEST_TOO_LARGE")
        found = self.api.find(request.verb, request.path)
        if found is None:
            raise Refused("MISSING_AUTHENTICATION_TOKEN")
        return found

    def _context(self, request: Request, now: datetime) -> dict[str, Any]:
        number = str(uuid.uuid4())
        return {
            "accountId": self.api.assembly.account,
            "apiId": self.api.id,
            "domainName": "127.0.0.1",
            "extendedRequestId": number,
            "httpMethod": request.verb,
            "identity": {
                "sourceIp": request.source,
                "userAgent": request.header("User-Agent"),
                "apiKey": request.header("x-api-key"),
            },
            "path": f"/{self.api.stage_name}{request.path}",
            "protocol": "HTTP/1.1",
            "requestId": number,
            "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(now.timestamp() * 1000),
            "resourcePath": request.path,
            "stage": self.api.stage_name,
        }

    @staticmethod
    def _validate(method: Method, request: Request, path: dict[str, str]) -> None:
        missing = [each for each in method.needed if not request.parameter(each, path)]
        if missing:
            names = ", ".join(each.rsplit(".", 1)[1] for each in missing)
            raise Refused(
                "BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{names}]"
            )
        schema = method.models.get(request.content_type)
        if schema is None:
            return
        try:
            jsonschema.Draft4Validator(schema).validate(json.loads(request.body or b"null"))
        except (ValueError, jsonschema.ValidationError) as error:
            raise Refused("BAD_REQUEST_BODY") from error

    def _refused(self, refusal: Refused, context: dict[str, Any]) -> Reply:
        status, message = _RESPONSES[refusal.kind]
        message = refusal.message or message
        general = _GENERAL[status // 100]
        changed = self.api.responses.get(refusal.kind) or self.api.responses.get(general) or {}
        status = int(changed.get("StatusCode", status))
        context["error"] = {
            "message": message,
            "messageString": json.dumps(message),
            "responseType": refusal.kind,
        }
        templates = changed.get("ResponseTemplates") or {}
        template = templates.get("application/json", '{"message":$context.error.messageString}')
        headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", refusal.kind)]
        for target, value in (changed.get("ResponseParameters") or {}).items():
            headers.append((target.removeprefix("gatewayresponse.header."), value.strip("'")))
        body = render(template, {"context": context}).encode()
        return Reply(status=status, headers=headers, body=body, kind=refusal.kind)


def _identity(source: str, request: Request, context: dict[str, Any]) -> str | None:
    """Return what an authorizer's identity source refers to."""
    if source.startswith("context."):
        found = found_by("$." + source.removeprefix("context."), context)
        return None if found is None else str(found)
    return request.parameter(source, {})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    gateway: Gateway


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        stage = f"/{self.server.gateway.api.stage_name}"
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        request = Request(
            verb=self.command,
            path=unquote(parts.path.removeprefix(stage)) or "/",
            query=parse_qsl(parts.query, keep_blank_values=True),
            headers=list(self.headers.items()),
            body=body,
        )
        if parts.path == stage or parts.path.startswith(f"{stage}/"):
            reply = self.server.gateway.answer(request)
        else:
            reply = Reply(status=403, body=b'{"message":"Forbidden"}')
        self.send_response(reply.status)
        for name, value in reply.headers:
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *arguments: object) -> None:
        """Say nothing: there is the access log."""
