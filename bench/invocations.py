"""Invocations a second and their latency: the worker alone, behind our gateway, behind nginx.

    python bench/invocations.py [--workers raw,no-op,text-classification] [--connections 1,16,64]
                                [--rounds 3] [--seconds 5]

Rounds are interleaved over the ways, for a machine's speed drifts; the tables have medians. wrk
runs on the same machine with one thread. See bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import rig

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
WAYS = ("direct", "gateway", "nginx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A worker that is measured, and what it is asked."""

    name: str
    body: str
    expected: object
    folder: Path | None = None


TEXT = "The parkade closes at ten, and who has not paid by then walks home in the rain. " * 2
SENTENCE = "The striker scored twice in the second half and the home side won the cup final."
SUBJECTS = (
    Subject(name="raw", body=json.dumps({"text": TEXT}), expected={"ok": True, "n": len(TEXT)}),
    Subject(
        name="no-op",
        body=json.dumps({"text": TEXT}),
        expected={"ok": True, "n": len(TEXT)},
        folder=EXAMPLES / "no-op",
    ),
    Subject(
        name="text-classification",
        body=json.dumps({"sentence": SENTENCE}),
        expected={"success": "true", "label": 2},
        folder=EXAMPLES / "text-classification",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """An address, and the processes that work for it."""

    subject: str
    name: str
    url: str
    processes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One run of wrk."""

    subject: str
    way: str
    connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int
    #: Processor time of gateway or nginx and worker together, for each request.
    cpu_us: float


def main() -> None:
    given = _arguments()
    subjects = [each for each in SUBJECTS if each.name in given.workers]
    with tempfile.TemporaryDirectory(prefix="pkb", dir="/tmp") as folder:
        benchmark = rig.Rig(Path(folder))
        try:
            ways = _start(benchmark, subjects)
            measured = _measure(ways, subjects, given)
        finally:
            benchmark.close()
    report = _report(measured, given)
    print(report)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    stem = time.strftime("%Y-%m-%d-%H%M%S")
    (results / f"{stem}.md").write_text(report + "\n")
    lines = [asdict(each) for each in measured]
    (results / f"{stem}.json").write_text(json.dumps(lines, indent=1) + "\n")
    print(f"\nwritten to {results / stem}.md and .json")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    names = [each.name for each in SUBJECTS]
    parser.add_argument("--workers", type=lambda text: text.split(","), default=names)
    parser.add_argument(
        "--connections",
        type=lambda text: [int(each) for each in text.split(",")],
        default=[1, 16, 64],
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    given = parser.parse_args()
    if unknown := set(given.workers) - set(names):
        parser.error(f"unknown workers {sorted(unknown)}; there are {names}")
    if shutil.which("wrk") is None:
        parser.error("wrk is not installed; on Debian: apt-get install wrk nginx-light")
    return given


def _start(benchmark: rig.Rig, subjects: list[Subject]) -> list[Way]:
    ways = []
    sockets = {}
    workers: dict[str, int] = {}
    for subject in subjects:
        path = sockets[subject.name] = benchmark.folder / f"{subject.name}.sock"
        port = rig.free_port()
        direct, worker = _workers(benchmark, subject, port, path)
        workers[subject.name] = worker
        url = f"http://127.0.0.1:{port}/invocations"
        ways.append(Way(subject=subject.name, name="direct", url=url, processes=(direct,)))
    endpoints = {name: rig.endpoint(path) for name, path in sockets.items()}
    gateway, port = benchmark.gateway(endpoints)
    for subject in subjects:
        worker = workers[subject.name]
        url = f"http://127.0.0.1:{port}/endpoints/{subject.name}/invocations"
        processes = (gateway.pid, worker)
        ways.append(Way(subject=subject.name, name="gateway", url=url, processes=processes))
        found = benchmark.nginx(sockets[subject.name])
        if found is not None:
            url = f"http://127.0.0.1:{found[1]}/invocations"
            processes = (found[0].pid, worker)
            ways.append(Way(subject=subject.name, name="nginx", url=url, processes=processes))
    for way in ways:
        subject = next(each for each in subjects if each.name == way.subject)
        rig.wait_for_answer(way.url, subject.body, subject.expected)
    return ways


def _workers(benchmark: rig.Rig, subject: Subject, port: int, path: Path) -> tuple[int, int]:
    """Start the subject's workers; return the process called directly, and the one behind."""
    program = str(HERE / "workers.py")
    if subject.folder is None:
        both = benchmark.python(
            program, "raw", "--port", str(port), "--socket", str(path), name=subject.name
        )
        return both.pid, both.pid
    direct = benchmark.python(
        program, "container", str(subject.folder), "--port", str(port), name=subject.name
    )
    behind = benchmark.python(
        *("-m", "parkade.runtime.container", "--socket", str(path)),
        *("--model-dir", str(subject.folder)),
        name=f"{subject.name}-behind",
    )
    while not path.exists():
        if behind.poll() is not None:
            raise SystemExit((benchmark.folder / f"{subject.name}-behind.log").read_text())
        time.sleep(0.01)
    path.chmod(0o777)  # nginx's worker may run as another user
    return direct.pid, behind.pid


def _measure(
    ways: list[Way], subjects: list[Subject], given: argparse.Namespace
) -> list[Measurement]:
    bodies = {subject.name: subject.body for subject in subjects}
    measured = []
    for turn in range(given.rounds):
        for subject in subjects:
            for connections in given.connections:
                for way in (each for each in ways if each.subject == subject.name):
                    one = _run(way, bodies[way.subject], connections, given.seconds)
                    measured.append(one)
                    print(
                        f"{turn + 1} {one.subject} {one.way} {connections}: {one.per_second:.0f}/s "
                        f"p50 {one.p50_ms:.3f} ms, {one.cpu_us:.0f} us cpu",
                        file=sys.stderr,
                    )
    return measured


def _run(way: Way, body: str, connections: int, seconds: float) -> Measurement:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(HERE / "load.lua")]
    before = _cpu(way.processes)
    ran = subprocess.run(
        [*command, way.url],
        env={**os.environ, "BENCH_BODY": body, "BENCH_TOKEN": rig.TOKEN},
        capture_output=True,
        text=True,
        check=True,
    )
    spent = _cpu(way.processes) - before
    line = next(each for each in ran.stdout.splitlines() if each.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    requests = result["requests"]
    return Measurement(
        subject=way.subject,
        way=way.name,
        connections=connections,
        per_second=(requests - result["failed"]) / result["seconds"],
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        failed=result["failed"],
        cpu_us=spent / max(1, requests) * 1e6,
    )


def _cpu(processes: tuple[int, ...]) -> float:
    total = 0.0
    for pid in processes:
        for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def _report(measured: list[Measurement], given: argparse.Namespace) -> str:
    machine = f"{psutil.cpu_count()} cores, Python {sys.version.split()[0]}"
    columns = (
        *("worker", "connections", "way", "req/s", "p50 ms", "p99 ms", "cpu us/req", "failed"),
        *("rate vs nginx", "rate vs direct", "p50 added ms"),
    )
    lines = [
        f"{time.strftime('%Y-%m-%d')}, {machine}; medians of {given.rounds} x {given.seconds:g} s",
        f"command: python bench/invocations.py {' '.join(sys.argv[1:])}".rstrip(),
        "",
        f"| {' | '.join(columns)} |",
        "| --- " * len(columns) + "|",
    ]
    groups: dict[tuple[str, int], dict[str, list[Measurement]]] = {}
    for each in measured:
        group = groups.setdefault((each.subject, each.connections), {})
        group.setdefault(each.way, []).append(each)
    for (subject, connections), ways in sorted(groups.items(), key=lambda item: item[0]):
        rates = {way: statistics.median(each.per_second for each in ways[way]) for way in ways}
        halves = {way: statistics.median(each.p50_ms for each in ways[way]) for way in ways}
        for way in (each for each in WAYS if each in ways):
            runs = ways[way]
            lines.append(
                f"| {subject} | {connections} | {way} | {rates[way]:.0f} | {halves[way]:.3f} "
                f"| {statistics.median(each.p99_ms for each in runs):.2f} "
                f"| {statistics.median(each.cpu_us for each in runs):.0f} "
                f"| {sum(each.failed for each in runs)} "
                f"| {_ratio(rates, way, 'nginx')} | {_ratio(rates, way, 'direct')} "
                f"| {halves[way] - halves['direct']:+.3f} |"
            )
    return "\n".join(lines)


def _ratio(rates: dict[str, float], way: str, base: str) -> str:
    return f"{rates[way] / rates[base]:.2f}" if base in rates else ""


if __name__ == "__main__":
    main()
