"""What data capture and a shadow variant add to an invocation's latency: nothing beside everything.

    python bench/taps.py [--connections 1,16] [--rounds 5] [--seconds 3]

One gateway, one worker of the raw kind and another one for the shadow; the same requests to endpoints that
differ in their taps alone. Rounds are interleaved; the table has medians.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil
import rig

from parkade.apps import link

HERE = Path(__file__).parent
BODY = json.dumps({"text": "The parkade closes at ten, and who has not paid walks home. " * 3})
CAPTURE = link.CaptureView(
    destination="s3://captured/bench",
    percentage=100,
    inputs=True,
    outputs=True,
    json_types=("application/json",),
)
WAYS = ("plain", "captured", "shadowed", "both")


def main() -> None:
    parser = argparse.ArgumentParser(description="capture and shadow, measured")
    parser.add_argument("--connections", default="1,16")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pkb", dir="/tmp") as folder:
        benchmark = rig.Rig(Path(folder))
        try:
            gateway, urls = _start(benchmark)
            for connections in map(int, given.connections.split(",")):
                _report(connections, _measure(gateway, urls, connections, given))
            _tell_captured(benchmark.folder)
        finally:
            benchmark.close()


def _start(benchmark: rig.Rig) -> tuple[psutil.Process, dict[str, str]]:
    sockets = {}
    for name in ("worker", "shade"):
        path = sockets[name] = benchmark.folder / f"{name}.sock"
        benchmark.python(
            *(str(HERE / "workers.py"), "raw", "--port", str(rig.free_port())),
            *("--socket", str(path)),
            name=name,
        )
    plain = rig.endpoint(sockets["worker"])
    shadows = (rig.variant(sockets["shade"], "shade"),)
    views = {
        "plain": plain,
        "captured": replace(plain, capture=CAPTURE),
        "shadowed": replace(plain, shadows=shadows),
        "both": replace(plain, capture=CAPTURE, shadows=shadows),
    }
    process, port = benchmark.gateway(views)
    urls = {way: f"http://127.0.0.1:{port}/endpoints/{way}/invocations" for way in WAYS}
    expected = {"ok": True, "n": len(json.loads(BODY)["text"])}
    for url in urls.values():
        rig.wait_for_answer(url, BODY, expected)
    return psutil.Process(process.pid), urls


def _measure(
    gateway: psutil.Process, urls: dict[str, str], connections: int, given: argparse.Namespace
) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(given.rounds):
        for way in WAYS:
            before = sum(gateway.cpu_times()[:2])
            ran = subprocess.run(
                [
                    *("wrk", "-t1", f"-c{connections}", f"-d{given.seconds:g}s"),
                    *("-s", str(HERE / "load.lua"), urls[way]),
                ],
                env={**os.environ, "BENCH_BODY": BODY, "BENCH_TOKEN": rig.TOKEN},
                capture_output=True,
                text=True,
                check=True,
            )
            line = next(each for each in ran.stdout.splitlines() if each.startswith("RESULT "))
            result = json.loads(line.removeprefix("RESULT "))
            time.sleep(0.2)  # what the writer has left over is not the next way's
            result["cpu_us"] = (sum(gateway.cpu_times()[:2]) - before) / result["requests"] * 1e6
            found[way].append(result)
    return found


def _report(connections: int, found: dict[str, list[dict[str, float]]]) -> None:
    print(f"\n{connections} connection(s), Python {sys.version.split()[0]}\n")
    columns = (
        "endpoint",
        "req/s",
        "p50 ms",
        "p99 ms",
        "p50 added ms",
        "gateway cpu us/req",
        "failed",
    )
    print(f"| {' | '.join(columns)} |\n" + "| --- " * len(columns) + "|")
    middle = {
        (way, name): statistics.median(each[name] for each in found[way])
        for way in WAYS
        for name in ("p50_ms", "p99_ms", "cpu_us")
    }
    for way in WAYS:
        rate = statistics.median(each["requests"] / each["seconds"] for each in found[way])
        added = middle[way, "p50_ms"] - middle["plain", "p50_ms"]
        print(
            f"| {way} | {rate:.0f} | {middle[way, 'p50_ms']:.3f} | {middle[way, 'p99_ms']:.2f} "
            f"| {added:+.3f} | {middle[way, 'cpu_us']:.0f} | {sum(each['failed'] for each in found[way]):.0f} |"
        )


def _tell_captured(folder: Path) -> None:
    waiting = [
        *(folder / "objects").rglob("captured/bench/**/*.jsonl"),
        *(folder / "spools").glob("*.spool"),
    ]
    lines = 0
    for path in waiting:
        with contextlib.suppress(FileNotFoundError):  # delivered meanwhile
            lines += path.read_bytes().count(b"\n")
    print(f"\n{lines} lines captured in {len(waiting)} files")


if __name__ == "__main__":
    main()
