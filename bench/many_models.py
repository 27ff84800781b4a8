"""Many models on one endpoint: hit ratio, cold and warm latency, memory, under a Zipf-like load.

    python bench/many_models.py [--models 2000] [--instances 2] [--megabytes 155] [--requests 10000]
                                [--clients 8] [--exponent 1.0]

Starts Parkade on a state folder of its own, puts so many scikit-learn models of about 100 KB, and
asks for them by name: rank r with a weight of 1 / r ** exponent. A request is cold where its model
was loaded while it waited; the model tells when that was. See bench/README.md.
"""

from __future__ import annotations

import argparse
import http.client
import io
import itertools
import json
import pickle
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import httpx
import numpy as np
import psutil
from rig import free_port
from sklearn.linear_model import Ridge

FEATURES = 12_000
ROLE = "arn:aws:iam::000000000000:role/benchmark"
SCRIPT = """
import json, os, pickle, time
import numpy

def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.pickle"), "rb") as file:
        return pickle.load(file), time.time()

def transform_fn(model, body, content_type, accept):
    fitted, loaded_at = model
    row = numpy.full((1, fitted.n_features_in_), json.loads(body)["x"])
    answer = {"y": float(fitted.predict(row)[0]), "loaded_at": loaded_at}
    return json.dumps(answer), "application/json"
"""


@dataclass
class Seen:
    """What one client saw."""

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


def packed(number: int) -> bytes:
    """Return the archive of a fitted model, like no other."""
    maker = np.random.default_rng(number)
    model = Ridge().fit(maker.normal(size=(8, FEATURES)), maker.normal(size=8))
    files = {"model.pickle": pickle.dumps(model), "code/inference.py": SCRIPT.encode()}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def deploy(url: str, options: argparse.Namespace) -> int:
    """Put the models, make the endpoint; return the size of all archives."""
    size = 0
    with httpx.Client(base_url=url) as client:
        for number in range(options.models):
            content = packed(number)
            size += len(content)
            client.put(
                f"/v1/objects/bench/many/{number}.tar.gz", content=content
            ).raise_for_status()
    sagemaker = boto3.client(
        "sagemaker",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",  # noqa: S106  the server asks for none
    )
    sagemaker.create_model(
        ModelName="many",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": "sagemaker-scikit-learn",
            "Mode": "MultiModel",
            "ModelDataUrl": "s3://bench/many/",
            "Environment": {"PARKADE_MODELS_MEMORY_MB": str(options.megabytes)},
        },
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "many",
        "InstanceType": "ml.c5.large",
        "InitialInstanceCount": options.instances,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="many", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="many", EndpointConfigName="many")
    while (status := sagemaker.describe_endpoint(EndpointName="many"))[
        "EndpointStatus"
    ] != "InService":
        if status["EndpointStatus"] == "Failed":
            raise SystemExit(status["FailureReason"])
        time.sleep(0.1)
    return size


def ask(port: int, targets: list[int], seen: Seen) -> None:
    """Ask for one model after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for target in targets:
        headers = {
            "Content-Type": "application/json",
            "X-Amzn-SageMaker-Target-Model": f"{target}.tar.gz",
        }
        sent_at, begun = time.time(), time.perf_counter()
        connection.request("POST", "/endpoints/many/invocations", b'{"x": 1}', headers)
        answer = connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - begun) * 1000
        if answer.status != 200:
            seen.failures[text.decode()[:200]] += 1
        elif json.loads(text)["loaded_at"] > sent_at:
            seen.cold.append(took)
        else:
            seen.warm.append(took)


def load(port: int, options: argparse.Namespace) -> tuple[list[Seen], float]:
    """Let all clients ask at once; return what they saw, and in how many seconds."""
    weights = [1 / rank**options.exponent for rank in range(1, options.models + 1)]
    share = options.requests // options.clients
    made = [Seen() for _ in range(options.clients)]
    threads = []
    for number, seen in enumerate(made):
        chosen = random.Random(number).choices(range(options.models), weights, k=share)  # noqa: S311
        threads.append(threading.Thread(target=ask, args=(port, chosen, seen)))
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return made, time.monotonic() - begun


def workers(state: Path) -> list[int]:
    """Return the resident set of each worker, in bytes."""
    return [
        process.memory_info().rss
        for process in psutil.process_iter(["cmdline"])
        if any(
            str(state) in word and word.endswith(".sock") for word in process.info["cmdline"] or []
        )
        and "--memory-bytes" in process.info["cmdline"]
    ]


def report(seen: list[Seen], seconds: float, found: Any) -> None:
    """Print what was measured."""
    cold = sorted(itertools.chain.from_iterable(each.cold for each in seen))
    warm = sorted(itertools.chain.from_iterable(each.warm for each in seen))
    failures = sum((each.failures for each in seen), Counter[str]())
    invocations = sum(each["metrics"]["invocations"] for each in found["models"])
    hits = sum(each["metrics"]["cache_hits"] for each in found["models"])
    loads = sum(each["metrics"]["loads"] for each in found["models"])
    total = len(cold) + len(warm)
    print("\n| requests | errors | req/s | hit ratio | loads | loaded at the end |")
    print("| --- | --- | --- | --- | --- | --- |")
    loaded = " + ".join(str(each["loaded_model_count"]) for each in found["instances"])
    print(
        f"| {total} | {sum(failures.values())} | {total / seconds:.0f} "
        f"| {hits / invocations:.3f} | {loads} | {loaded} |"
    )
    print("\n| | requests | median ms | p99 ms |\n| --- | --- | --- | --- |")
    for name, times in (("cold", cold), ("warm", warm)):
        p99 = times[int(len(times) * 0.99)]
        print(f"| {name} | {len(times)} | {statistics.median(times):.1f} | {p99:.1f} |")
    for text, count in failures.most_common(5):
        print(f"\n{count} times: {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (
        ("models", 2000), ("instances", 2), ("megabytes", 155), ("requests", 10_000), ("clients", 8),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--exponent", type=float, default=1.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        state, port = Path(folder) / "state", free_port()
        command = [sys.executable, "-m", "parkade.apps.cli", "up", "--no-auth"]
        with (Path(folder) / "log").open("wb") as log:
            server = subprocess.Popen(
                [*command, "--state", str(state), "--port", str(port)], stdout=log, stderr=log
            )
            try:
                run(f"http://127.0.0.1:{port}", port, state, options)
            finally:
                server.terminate()
                server.wait(60)


def run(url: str, port: int, state: Path, options: argparse.Namespace) -> None:
    """Deploy, load and report."""
    ready = f"{url}/v1/health/ready"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(ready).is_success:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    size = deploy(url, options)
    print(f"{options.models} models, {size / options.models / 1000:.0f} kB each; command:")
    print(" ".join(["python", *sys.argv]))
    before = workers(state)
    seen, seconds = load(port, options)
    time.sleep(2)  # the last counts are on their way
    found: dict[str, Any] = {"models": [], "instances": []}
    after = ""
    while True:
        page = httpx.get(
            f"{url}/v1/endpoints/many/models", params={"limit": 1000, "after": after}, timeout=60
        ).json()
        found["models"] += page["models"]
        found["instances"] = page["instances"]
        after = page["next"] or ""
        if not after:
            break
    report(seen, seconds, found)
    print(
        "\nworkers, MB: ",
        *(f"{a / 1e6:.0f} -> {b / 1e6:.0f};" for a, b in zip(before, workers(state), strict=True)),
    )


if __name__ == "__main__":
    main()
