"""The `parkade` command in front of a real server: HTTP on loopback, services in memory."""

import json
from contextlib import contextmanager
from dataclasses import dataclass, field

from typer.testing import CliRunner

from parkade.apps.cli.main import app
from tests.apps.api.world import SECRETS, World, served


@dataclass
class Front:
    """Stands before the API where the gateway would: invocations get canned answers."""

    behind: object
    #: What POST /endpoints/{name}/invocations answers: status, headers, body.
    canned: tuple = (200, {"content-type": "application/json"}, b'{"label": 1}')
    #: Called before a request is passed on, with its path.
    looks_on: object = None
    bodies: list = field(default_factory=list)
    headers: list = field(default_factory=list)

    async def __call__(self, scope, receive, send):
        if self.looks_on is not None:
            self.looks_on(scope["path"])
        if not scope["path"].endswith("/invocations"):
            await self.behind(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.bodies.append(body)
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        status, headers, answer = self.canned
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer})


@dataclass
class Desk:
    """A person at the command line."""

    world: World
    front: Front
    environment: dict

    def run(self, *arguments, stdin=None):
        """Run a command and return its result; a bug in it is raised."""
        result = CliRunner().invoke(app, arguments, input=stdin, env=self.environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *arguments, **options):
        """Run a command that has to work; return what it wrote to standard output."""
        result = self.run(*arguments, **options)
        assert result.exit_code == 0, result.output
        return result.stdout

    def start(self, name="text", *, failure=""):
        """Let a sweep start the endpoint, and the start come to its end."""
        self.world.sweep()
        self.world.host.running.setdefault(name, ())
        if failure:
            self.world.hosting.fail(name, failure)
        else:
            self.world.hosting.settle(name)

    def json(self, *arguments):
        return json.loads(self.ok(*arguments, "--json"))

    def error(self, *arguments, **options):
        """Run a command that has to fail with one line; return the line."""
        result = self.run(*arguments, **options)
        assert result.exit_code == 1, result.output
        assert not result.stdout
        *before, last = result.stderr.splitlines()
        assert last.startswith("error: "), result.stderr
        assert not [line for line in before if line.startswith(("error", "Traceback"))]
        return last


@contextmanager
def desk(tmp_path, *, by="admin", **options):
    """Serve a world; the command line of its guest points at it."""
    world = World(**options)
    front = Front(world.app)
    with served(front) as url:
        environment = {
            "PARKADE_URL": url,
            "PARKADE_TOKEN": SECRETS.get(by, by),
            "PARKADE_STATE": str(tmp_path / "state"),
        }
        yield Desk(world, front, environment)
