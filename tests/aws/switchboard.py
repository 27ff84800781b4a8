"""The one address for what the harness itself plays: Lambda, Step Functions, the event bus.

Also what servers call back: the embedded runtime tells its events and its topics, SNS its
subscribers, functions of custom resources CloudFormation.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from tests.aws.machines import TaskFailed
from tests.aws.runtime_api import TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.aws.machines import Execution
    from tests.aws.runtime_api import Function


class Behind(Protocol):
    """What is played."""

    def function(self, name: str) -> Function:
        """Return a function by its name or ARN."""

    def execution(self, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an operation of Step Functions. Raises TaskFailed."""

    def tagged(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Answer GetResources of the tagging API."""

    def cloudwatch(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any, bytes]:
        """Answer CloudWatch's calls."""

    def happened(self, event: Mapping[str, Any], bus: str = "default") -> None:
        """Take an event that rules may be about."""

    def publish(self, topic: str, message: str) -> None:
        """Publish what SageMaker or an alarm tells a topic."""

    def custom(self, number: str, told: Mapping[str, Any]) -> None:
        """Take the answer of a custom resource's function."""


class Fault(Exception):
    """An operation is refused."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Switchboard:
    """Answers on loopback; `behind` is set before anybody calls."""

    behind: Behind

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.board = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def invoked(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any, bytes]:
        """Carry out Lambda's Invoke."""
        name = unquote(path.split("/")[3])
        function = self.behind.function(name)
        if headers.get("X-Amz-Invocation-Type") == "Event":
            function.send(body or b"{}")
            return 202, {}, b""
        try:
            answer = function.invoke(body or b"{}")
        except TooManyRequests as error:
            raise Fault(429, "TooManyRequestsException", str(error)) from error
        failed = {"X-Amz-Function-Error": "Unhandled"} if answer.failed else {}
        return 200, {"X-Amz-Executed-Version": "$LATEST", **failed}, answer.payload

    def targeted(self, target: str, body: bytes) -> dict[str, Any]:
        """Carry out an operation that is named by a header."""
        service, operation = target.split(".")
        given = json.loads(body or b"{}")
        if service == "AWSStepFunctions":
            try:
                return self.behind.execution(operation, given)
            except TaskFailed as error:
                raise Fault(400, error.error, error.cause) from error
        if operation == "GetResources":
            return self.behind.tagged(given)
        if (service, operation) == ("AWSEvents", "PutEvents"):
            return self._put(given["Entries"])
        raise Fault(501, "NotImplemented", f"{target} is not played by the tests")

    def _put(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        for each in entries:
            event = {
                "detail-type": each["DetailType"],
                "source": each["Source"],
                "resources": each.get("Resources", []),
                "detail": json.loads(each["Detail"]),
            }
            self.behind.happened(event, each.get("EventBusName", "default"))
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "0"} for _ in entries]}


def described(execution: Execution) -> dict[str, Any]:
    """Return an execution as DescribeExecution has it."""
    found: dict[str, Any] = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started_at.timestamp(),
        "input": json.dumps(execution.input),
    }
    if execution.ended_at is not None:
        found["stopDate"] = execution.ended_at.timestamp()
    if execution.status == "SUCCEEDED":
        found["output"] = json.dumps(execution.output)
    elif execution.status != "RUNNING":
        found |= {"error": execution.error, "cause": execution.cause}
    return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    board: Switchboard


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or "0"))
        try:
            status, headers, answer = self._answer(body)
        except Fault as fault:
            status, headers = fault.status, {"x-amzn-ErrorType": fault.code}
            answer = json.dumps({"__type": fault.code, "message": str(fault)}).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_POST  # noqa: N815 - the name that the base class looks for

    def _answer(self, body: bytes) -> tuple[int, Any, bytes]:
        board, path = self.server.board, urlsplit(self.path).path
        if path.startswith("/2015-03-31/functions/"):
            return board.invoked(path, self.headers, body)
        if path.startswith("/service/") or "Granite" in self.headers.get("X-Amz-Target", ""):
            return board.behind.cloudwatch(path, self.headers, body)
        if target := self.headers.get("X-Amz-Target"):
            kind = {"Content-Type": self.headers["Content-Type"]}
            return 200, kind, json.dumps(board.targeted(target, body)).encode()
        kind, _, rest = path.lstrip("/").partition("/")
        document = json.loads(body)
        if kind == "bus":
            # A delivery may hold several events.
            for each in document if isinstance(document, list) else [document]:
                board.behind.happened(each)
        elif kind == "topics":
            board.behind.publish(rest, document["Message"])
        elif kind == "notification":
            self._notified(unquote(rest), document)
        elif kind == "custom":
            board.behind.custom(rest, document)
        else:
            raise Fault(404, "NotFound", self.path)
        return 200, {}, b""

    def _notified(self, function: str, document: dict[str, Any]) -> None:
        """Hand what SNS posts to a function, as SNS hands it to functions."""
        if document.get("Type") != "Notification":
            return
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": f"{document['TopicArn']}:0",
            "Sns": {"MessageAttributes": {}, **document},
        }
        self.server.board.behind.function(function).send({"Records": [record]})

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""
