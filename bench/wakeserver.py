"""Wakes of whole servers: from the caller's request to its answer, which a sleeping endpoint gives."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import boto3  # type: ignore[import-untyped]
import httpx
from rig import free_port
from wakerig import Times, packed

from parkade.apps import identity
from parkade.apps.statefolder import StatePaths
from parkade.runtime import leftovers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROLE = "arn:aws:iam::000000000000:role/benchmark"
NAME = "sleeper"
#: Standby processes by way.
WAYS = {"standby.processes: 0": 0, "standby.processes: 2": 2}


class Server:
    """Parkade on a state folder of its own, with one endpoint."""

    def __init__(self, folder: Path, waiting: int) -> None:
        self.folder = folder
        self.waiting = waiting
        folder.mkdir()
        (folder / "server.yaml").write_text(json.dumps({"standby": {"processes": waiting}}))
        self.url = f"http://127.0.0.1:{free_port()}"
        self.http = httpx.Client(base_url=self.url, timeout=120)

    @contextlib.contextmanager
    def up(self) -> Iterator[None]:
        """Run it."""
        command = [sys.executable, "-m", "parkade.apps.cli", "up", "--no-auth"]
        port = self.url.rpartition(":")[2]
        with (self.folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*command, "--state", str(self.folder), "--port", port], stdout=log, stderr=log
            )
        try:
            until(self._is_ready)
            yield
        finally:
            server.terminate()
            server.wait(60)

    def _is_ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.http.get("/v1/health/ready").is_success
        return False

    def deploy(self, content: bytes) -> None:
        """Put the model, create the endpoint, and wait for it."""
        self.http.put("/v1/objects/bench/model.tar.gz", content=content).raise_for_status()
        sagemaker = boto3.client(
            "sagemaker",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="bench",
            aws_secret_access_key="bench",  # noqa: S106  the server asks for none
        )
        container = {"Image": "sagemaker-scikit-learn", "ModelDataUrl": "s3://bench/model.tar.gz"}
        sagemaker.create_model(ModelName=NAME, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        variant = {"VariantName": "AllTraffic", "ModelName": NAME, "InstanceType": "ml.c5.large"}
        variants = [{**variant, "InitialInstanceCount": 1}]
        sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=variants)
        lease = {"config_name": NAME, "minutes": 60}
        self.http.put(f"/v1/leases/{NAME}", json=lease).raise_for_status()
        until(lambda: self.state() == "running")

    def state(self) -> str:
        """Return what the endpoint is doing."""
        return str(self.http.get(f"/v1/endpoints/{NAME}").raise_for_status().json()["state"])

    def sleep(self) -> None:
        """Put the endpoint to sleep; return when it is, and what is to wait does."""
        self.http.post(f"/v1/endpoints/{NAME}/sleep").raise_for_status()
        until(lambda: self.state() == "asleep")
        until(lambda: not self._workers())
        until(lambda: bool(self._standbys()) or not self.waiting)

    def _workers(self) -> bool:
        found = leftovers.find(identity.state_id(StatePaths(state=self.folder)))
        return any(each.instance_id for each in found)

    def _standbys(self) -> float:
        page = self.http.get("/metrics").raise_for_status().text
        (line,) = [e for e in page.splitlines() if e.startswith("parkade_standby_processes ")]
        return float(line.split()[1])

    def ask(self, body: str) -> float:
        """Invoke the endpoint, held until it is there; return the seconds to the answer."""
        headers = {"Content-Type": "application/json", "Prefer": "wait=60"}
        begun = time.perf_counter()
        answer = self.http.post(f"/endpoints/{NAME}/invocations", content=body, headers=headers)
        took = time.perf_counter() - begun
        if not answer.is_success:
            raise SystemExit(answer.text)
        return took


def until(condition: Callable[[], object]) -> None:
    """Return once the condition is true."""
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("it takes too long")
        time.sleep(0.02)


def servers(options: argparse.Namespace, folder: Path) -> None:
    """Print how long callers wait for an endpoint that sleeps."""
    times = Times()
    content = packed(options.model)
    with contextlib.ExitStack() as stack:
        made = {}
        for way, waiting in WAYS.items():
            made[way] = Server(folder / f"server-{waiting}", waiting)
            stack.enter_context(made[way].up())
            made[way].deploy(content)
        for _ in range(options.rounds):
            for way, server in made.items():
                server.sleep()
                time.sleep(1)  # what the sleep has left over is not the wake's
                times.add(way, "cold", server.ask(options.body))
                times.add(way, "warm", server.ask(options.body))
    print("\nFrom a caller's request (Prefer: wait) to the answer: median (quickest), ms\n")
    times.show(["cold", "warm"])
