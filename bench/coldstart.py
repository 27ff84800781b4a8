"""Cold starts of the functions: `python bench/coldstart.py [--runs N]`.

Each run starts a process under `awslambdaric`, as Lambda does, with its handler, and gives it one event
over the Runtime API; AWS is moto, in a process of its own. Told are medians: from the start of the
process until it asks for an event (Lambda's init), from there to the first answer (the services are
built, clients are made, the tables are asked), both together, the second answer, and the processor
time up to the first answer: it depends least on what else the machine does.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
import psutil

from parkade.adapters.aws.account import Account
from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.shape import MAIN, TOKENS
from parkade.adapters.aws.dynamodb.table import Table
from parkade.adapters.aws.dynamodb.tokens import DynamoTokenStore
from parkade.adapters.system.clock import SystemClock
from parkade.domain.token import Role
from parkade.services.tokens import Tokens

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.aws.runtime_api import Sandbox, Spec  # noqa: E402

REGION = "eu-west-1"
KEY = "0123456789abcdef0123456789abcdef"
API = f"arn:aws:execute-api:{REGION}:123456789012:abcdef/prod"
#: When the lease runs out that the timer asks about.
_OVER = "2026-03-01T12:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Subject:
    """A function, and what it is asked."""

    name: str
    event: Any
    #: Whether its answer may be an error: what it asks for is not in moto.
    fails: bool = False


def subjects(secret: str) -> list[Subject]:
    """Return the functions, with an event that each can answer in an empty account."""
    request = {
        "path": "/falcon",
        "headers": {"Content-Type": "application/json"},
        "body": "{}",
        "requestContext": {"authorizer": {"name": "ann", "endpoints": ""}},
    }
    day = {"do": "understand", "event": {"detail-type": "Something else"}}
    return [
        Subject(
            "authorizer",
            {"methodArn": f"{API}/POST/falcon", "headers": {"Authorization": secret}},
        ),
        Subject("invoke", request),
        Subject("sweep", {}),
        Subject("timer", {"endpoint_name": "falcon", "turn": 0, "expires_at": _OVER}),
        Subject("notices", {"Records": []}),
        Subject("maintainer", day),
        Subject("deployer", {"deployment": "unknown", "step": "look", "turn": 0}, fails=True),
    ]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await(port, server)
            config = _config(Path(folder), f"http://127.0.0.1:{port}")
            environment, secret = _prepared(config)
            print(
                f"{'function':<12}{'init':>8}{'first':>8}{'cold':>8}{'second':>8}  seconds, medians"
            )
            for subject in subjects(secret):
                _measure(subject, environment, runs)
        finally:
            server.terminate()
            server.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return once somebody listens there."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            if server.poll() is not None:
                raise SystemExit(f"moto's server ended with {server.returncode}") from None
            time.sleep(0.1)
        else:
            return


def _measure(subject: Subject, environment: dict[str, str], runs: int) -> None:
    found = [_run(subject, environment) for _ in range(runs + 1)][1:]  # the first warms the disk
    medians = [statistics.median(each) for each in zip(*found, strict=True)]
    print(f"{subject.name:<12}" + "".join(f"{each:>8.3f}" for each in medians), flush=True)


def _run(subject: Subject, environment: dict[str, str]) -> tuple[float, ...]:
    spec = Spec(
        name=subject.name,
        handler=f"parkade.apps.lambdas.{subject.name}.handler",
        code=ROOT / "src",
        timeout=60,
        json_logs=True,
    )
    body = json.dumps(subject.event).encode()
    began = time.perf_counter()
    sandbox = Sandbox(spec, environment)
    try:
        if not sandbox.idle.wait(60):
            raise SystemExit(f"{subject.name} never asked for an event:\n{sandbox.log()}")
        ready = time.perf_counter()
        answer = sandbox.invoke(body)
        answered = time.perf_counter()
        spent = psutil.Process(sandbox.process.pid).cpu_times()
        if answer.failed and not subject.fails:
            raise SystemExit(f"{subject.name}: {answer.document}\n{sandbox.log()}")
        sandbox.invoke(body)
        again = time.perf_counter()
    finally:
        with contextlib.redirect_stderr(io.StringIO()):  # of connections that end with the process
            sandbox.close()
    cpu = spent.user + spent.system
    return ready - began, answered - ready, answered - began, again - answered, cpu


def _config(folder: Path, url: str) -> Path:
    path = folder / "config"
    path.write_text(
        f"[default]\nregion = {REGION}\nendpoint_url = {url}\n"
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"
    )
    return path


def _prepared(config: Path) -> tuple[dict[str, str], str]:
    """Make tables, a secret and a token; return the functions' environment, and the token's secret."""
    session = botocore.session.Session()
    session.set_config_variable("config_file", str(config))
    session.set_config_variable("credentials_file", os.devnull)
    account = Account(session=session)
    dynamodb = account.client("dynamodb")
    dynamodb.create_table(TableName="main", **MAIN.description())
    dynamodb.create_table(TableName="tokens", **TOKENS.description())
    made = account.client("secretsmanager").create_secret(Name="key", SecretString=KEY)
    clock = SystemClock()
    history = DynamoHistory(Table(account, "main", MAIN), clock)
    store = DynamoTokenStore(Table(account, "tokens", TOKENS), history)
    tokens = Tokens(store, clock=clock, key=KEY.encode)
    _, secret = tokens.create("ann", role=Role.INVOKER, endpoints=[], lifetime=None, actor="bench")
    environment = {
        "AWS_CONFIG_FILE": str(config),
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "PARKADE_PROJECT": "Demo",
        "PARKADE_TABLE": "main",
        "PARKADE_TOKENS_TABLE": "tokens",
        "PARKADE_SERVER_KEY": made["ARN"],
        "PARKADE_TOPIC": f"arn:aws:sns:{REGION}:123456789012:notices",
        "PARKADE_BUS": "default",
        "PARKADE_ROUTES": json.dumps({"/falcon": {"endpoint": "falcon"}}),
    }
    return environment, secret


if __name__ == "__main__":
    main()
