"""What routes and their conditions cost an invocation, and what the gateway costs since a change.

    python bench/routes.py [--before CHECKOUT] [--ways before,endpoint] [--connections 1,16]
                           [--rounds 9] [--seconds 2]

One worker of the raw kind, and the same requests to it by every way. With `--before` the first way is the
gateway of another checkout, a process of its own. Rounds are interleaved, and each begins with another way;
processor time is compared within rounds, for a machine's speed drifts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
import rig

from parkade.apps import link

HERE = Path(__file__).parent
BODY = json.dumps({"text": "The parkade closes at ten, and who has not paid walks home. " * 3})
#: Two variants, so that there is something to draw between, or to assign.
ROUTES = {
    "/plain": link.RouteView(endpoint="two"),
    "/rated": link.RouteView(endpoint="two", rate=rig.PLENTY, burst=1_000_000_000),
    "/header": link.RouteView(endpoint="two", header="Content-Type"),
    "/cookie": link.RouteView(endpoint="two", cookie="visitor"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """An address, and the gateway behind it."""

    name: str
    url: str
    gateway: psutil.Process


def main() -> None:
    parser = argparse.ArgumentParser(description="routes, measured")
    parser.add_argument("--before", type=Path, help="a checkout to compare with")
    parser.add_argument("--ways", help="only these, such as before,endpoint,/plain; else all")
    parser.add_argument("--connections", default="1,16")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pkb", dir="/tmp") as folder:
        here, there = Path(folder) / "here", Path(folder) / "there"
        here.mkdir()
        there.mkdir()
        benchmark, former = rig.Rig(here), rig.Rig(there)
        try:
            ways = _start(benchmark, former, given.before)
            if given.ways:
                ways = [each for each in ways if each.name in given.ways.split(",")]
            print(f"2 variants, one raw worker; {psutil.cpu_count()} cores, "
                  f"Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}")  # fmt: skip
            for connections in map(int, given.connections.split(",")):
                _report(connections, _measure(ways, connections, given))
        finally:
            former.close()
            benchmark.close()


def _start(benchmark: rig.Rig, former: rig.Rig, before: Path | None) -> list[Way]:
    worker = benchmark.folder / "worker.sock"
    benchmark.python(
        *(str(HERE / "workers.py"), "raw", "--port", str(rig.free_port())),
        *("--socket", str(worker)),
        name="worker",
    )
    variants = tuple(rig.variant(worker, name) for name in ("a", "b"))
    endpoints = {"two": link.EndpointView(variants=variants)}
    address = "/endpoints/two/invocations"
    ways = []
    if before is not None:
        process, port = former.gateway(endpoints, source=before / "src")
        url = f"http://127.0.0.1:{port}{address}"
        ways.append(Way(name="before", url=url, gateway=psutil.Process(process.pid)))
    process, port = benchmark.gateway(endpoints, ROUTES)
    for name, path in {"endpoint": address, **{path: path for path in ROUTES}}.items():
        url = f"http://127.0.0.1:{port}{path}"
        ways.append(Way(name=name, url=url, gateway=psutil.Process(process.pid)))
    expected = {"ok": True, "n": len(json.loads(BODY)["text"])}
    for way in ways:
        rig.wait_for_answer(way.url, BODY, expected)
    return ways


def _measure(
    ways: list[Way], connections: int, given: argparse.Namespace
) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {way.name: [] for way in ways}
    for turn in range(given.rounds):
        first = turn % len(ways)
        for way in (*ways[first:], *ways[:first]):
            found[way.name].append(_run(way, connections, given.seconds))
    return found


def _run(way: Way, connections: int, seconds: int) -> dict[str, float]:
    before = sum(way.gateway.cpu_times()[:2])
    ran = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s"),
            *("-s", str(HERE / "load.lua"), way.url),
        ],
        env={**os.environ, "BENCH_BODY": BODY, "BENCH_TOKEN": rig.TOKEN},
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(each for each in ran.stdout.splitlines() if each.startswith("RESULT "))
    result: dict[str, float] = json.loads(line.removeprefix("RESULT "))
    result["cpu_us"] = (sum(way.gateway.cpu_times()[:2]) - before) / result["requests"] * 1e6
    return result


def _report(connections: int, found: dict[str, list[dict[str, float]]]) -> None:
    print(f"\n{connections} connection(s)\n")
    columns = ("way", "req/s", "p50 ms", "gateway cpu us/req", "against the first", "failed")
    print(f"| {' | '.join(columns)} |\n" + "| --- " * len(columns) + "|")
    first = next(iter(found.values()))
    for name, runs in found.items():
        rate = statistics.median(each["requests"] / each["seconds"] for each in runs)
        half = statistics.median(each["p50_ms"] for each in runs)
        spent = statistics.median(each["cpu_us"] for each in runs)
        ratios = sorted(
            one["cpu_us"] / other["cpu_us"] for one, other in zip(runs, first, strict=True)
        )
        quarter = len(ratios) // 4
        middle = (
            f"{statistics.median(ratios):.3f} ({ratios[quarter]:.3f} to {ratios[-1 - quarter]:.3f})"
        )
        failed = sum(each["failed"] for each in runs)
        print(f"| {name} | {rate:.0f} | {half:.3f} | {spent:.1f} | {middle} | {failed:.0f} |")


if __name__ == "__main__":
    main()
