"""The embedded host behind SageMaker's wire API on the loopback, for adapters that speak to SageMaker.

Its event loop runs while a request is answered, and while a test waits for something to arrive, so
that what is seen between two calls holds still.
"""

import asyncio
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs

import botocore.session
import httpx
from botocore.loaders import Loader
from starlette.applications import Starlette

from parkade.adapters.aws.account import Account
from parkade.apps.autoscaling.door import Door as ScalingDoor
from parkade.apps.sagemaker.door import Door
from parkade.apps.serverfile import ServerFile
from parkade.apps.wire.root import serve
from parkade.domain.errors import LeaseNotFound
from tests.aws_account import REGION, write_config

NUMBER = "000000000000"
_LOADER = Loader()
_TAGGING = "ResourceGroupsTaggingAPI_20170126.GetResources"


class Loop:
    """An event loop in a thread of its own, which runs while it is asked to."""

    def __init__(self):
        self._thread = ThreadPoolExecutor(1)
        self._runner = self._thread.submit(asyncio.Runner).result()

    def run(self, what):
        """Run a coroutine to its end."""
        return self._thread.submit(self._runner.run, what).result()

    def close(self):
        """End the loop and its thread."""
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()


class Wired:
    """A server of SageMaker's API over a host; `refuse` answers instead of it."""

    def __init__(self, loop, folder, *, host, catalog, clock, history=None, scaling=None):
        self.loop = loop
        #: Called with the operation and its input; what it returns is answered as an error.
        self.refuse = lambda operation, given: None
        #: The operations that were asked for, in their order.
        self.asked = []
        self.services = SimpleNamespace(
            auth=False,
            settings=SimpleNamespace(auth=False),
            caller=None,
            file=lambda: ServerFile(region=REGION),
            host=host,
            catalog=catalog,
            clock=clock,
            wall=clock,
            history=history,
            meter=SimpleNamespace(get=_no_lease),
            scaling=scaling,
            changed=lambda: None,
        )
        app = Starlette()
        serve(app, ScalingDoor(self.services), Door(self.services))
        self._app = app
        self._server = Server(self.answer)
        self.url = self._server.url
        self.config = folder / "aws-config"
        write_config(self.config, self.url)
        self.account = account_of(self.config)

    def answer(self, headers, body):
        """Answer one request: status, headers, body."""
        target = headers.get("X-Amz-Target", "")
        operation = target.rpartition(".")[2]
        if not target:
            return identity(body)
        given = json.loads(body or b"{}")
        self.asked.append(operation)
        refused = self.refuse(operation, given)
        if refused is not None:
            code, message, status = refused
            return json_answer({"__type": code, "message": message}, status)
        if target == _TAGGING:
            return json_answer(self._tagged(given))
        return self.loop.run(self._call(headers, body))

    async def _call(self, headers, body):
        sent = {"X-Amz-Target": headers["X-Amz-Target"], "Content-Type": headers["Content-Type"]}
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
            answer = await client.post("/", content=body, headers=sent)
        return answer.status_code, dict(answer.headers), answer.content

    def _tagged(self, given):
        (wanted,) = given["ResourceTypeFilters"]
        kind = wanted.removeprefix("sagemaker:")
        return {
            "ResourceTagMappingList": [
                {
                    "ResourceARN": f"arn:aws:sagemaker:{REGION}:{NUMBER}:{kind}/{name}",
                    "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                }
                for name, tags in self.services.catalog.tagged(kind).tags.items()
            ]
        }

    def close(self):
        """Stop serving."""
        self._server.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Connections beyond these few are begun again after a second each, where nobody takes them yet.
    request_queue_size = 128


class Server:
    """An HTTP server on the loopback; `answer` makes status, headers and body of headers and body.

    Where it makes none, the connection is closed without an answer.
    """

    def __init__(self, answer):
        self._server = _Server(("127.0.0.1", 0), _handler(answer))
        # Looks every so many seconds whether it is to end.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def account_of(config):
    """An account whose clients are made of descriptions that are read once for all tests."""
    session = botocore.session.Session()
    session.set_config_variable("config_file", str(config))
    session.set_config_variable("credentials_file", os.devnull)
    session.register_component("data_loader", _LOADER)
    return Account(session=session)


def _no_lease(name):
    raise LeaseNotFound(f"there is no lease of {name!r}")


def _handler(answer):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answered = answer(self.headers, body)
            if answered is None:
                self.close_connection = True
                return
            status, headers, content = answered
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() != "content-length":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Say nothing of each request: what failed is to be found."""

    return Handler


def json_answer(content, status=200):
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()


def identity(body):
    assert parse_qs(body.decode())["Action"] == ["GetCallerIdentity"], body
    text = (
        "<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'>"
        "<GetCallerIdentityResult><UserId>u</UserId>"
        f"<Arn>arn:aws:iam::{NUMBER}:user/ann</Arn><Account>{NUMBER}</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    return 200, {"Content-Type": "text/xml"}, text.encode()


@contextmanager
def wired(loop, folder, **parts):
    """Serve a host over the wire."""
    built = Wired(loop, folder, **parts)
    try:
        yield built
    finally:
        built.close()
