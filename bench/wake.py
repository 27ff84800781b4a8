"""Cold wakes: from the process start, from the host's order and from a caller's request to the first answer.

    python bench/wake.py [--rounds 7] [--model examples/text-classification] [--body '{"sentence": "..."}']

Three ways to a worker are measured by turns, so that what else the machine does meets them all: forked and
asked whether it is well; forked, and it says that it listens; a standby process that is given the model.
Then whole servers, whose endpoint sleeps until the request. See bench/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from wakehost import hosts
from wakerig import Times, answered, listens
from wakeserver import servers

HERE = Path(__file__).parent


def alone(options: argparse.Namespace, folder: Path) -> None:
    """Start the container program alone, by turns with the least that its interpreter can do."""
    python = [sys.executable, "-P"]
    times = Times()
    for _ in range(options.rounds):
        for way, code in (
            ("interpreter", "pass"),
            ("... asyncio, uvloop", "import asyncio, uvloop"),
        ):
            begun, before = time.perf_counter(), children()
            subprocess.run([*python, "-c", code], check=True)
            times.add(way, "ms", time.perf_counter() - begun)
            times.add(way, "processor", children() - before)
        for way, model in (
            ("... container, no-op model", HERE.parent / "examples/no-op"),
            ("... container, the model", options.model),
        ):
            path = folder / "alone.sock"
            path.unlink(missing_ok=True)
            command = [
                *python,
                "-m",
                "parkade.runtime.container",
                "--socket",
                str(path),
                "--model-dir",
                str(model),
            ]
            begun, before = time.perf_counter(), children()
            process = subprocess.Popen(command)
            while not listens(path):
                time.sleep(0.0005)
            if model == options.model:
                answered(str(path), options.body.encode())
            times.add(way, "ms", time.perf_counter() - begun)
            process.terminate()
            process.wait()
            times.add(way, "processor", children() - before)
    print("\nFrom the start of a process to its end, or its first answer: median (quickest)\n")
    times.show(["ms", "processor"])


def children() -> float:
    """Return the seconds of processor time of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def imports(options: argparse.Namespace) -> None:
    """Print what loading the model imports, by package."""
    code = f"from pathlib import Path; import os; from parkade.runtime.container.script import load; load(Path({str(options.model)!r}), os.environ)"
    told = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-c", code],
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    spent: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for own, name in re.findall(r"import time: +(\d+) \| +\d+ \| +([\w.]+)", told):
        package = name.split(".")[0]
        package = "the standard library" if package in sys.stdlib_module_names else package
        spent[package] += int(own)
        modules[package] += 1
    print("\nWhat loading the model imports (-X importtime, which itself slows it down)\n")
    print("| package | modules | ms |\n| --- | --- | --- |")
    for package, micros in spent.most_common(7):
        print(f"| {package} | {modules[package]} | {micros / 1000:.0f} |")


def forks() -> None:
    """Print what starting a process costs a large one, by vfork and by fork."""
    code = """
import subprocess, sys, time
held = bytearray(int(sys.argv[1]) * 2**20)
held[::4096] = b"x" * len(held[::4096])
took = {True: [], False: []}
for _ in range(20):
    for subprocess._USE_VFORK in took:
        begun = time.perf_counter()
        process = subprocess.Popen(["/bin/true"], start_new_session=True)
        took[subprocess._USE_VFORK].append(time.perf_counter() - begun)
        process.wait()
print(*(sorted(each)[10] * 1000 for each in took.values()))
"""
    print("\nStarting a process, from one that holds so much memory\n")
    print("| MB | as it is: vfork, ms | with fork, ms |\n| --- | --- | --- |")
    for megabytes in (10, 300, 1000):
        told = subprocess.run(
            [sys.executable, "-c", code, str(megabytes)], check=True, capture_output=True, text=True
        )
        quick, slow = map(float, told.stdout.split())
        print(f"| {megabytes} | {quick:.1f} | {slow:.1f} |")


def main() -> None:
    """Measure everything, print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--model", type=Path, default=HERE.parent / "examples/text-classification")
    parser.add_argument("--body", default=json.dumps({"sentence": "The match ended in a draw."}))
    options = parser.parse_args()
    print("command:", *["python", *sys.argv])
    print(
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Python {sys.version.split()[0]}; ",
        end="",
    )
    print(
        f"load {os.getloadavg()[0]:.1f}; medians of {options.rounds} rounds (and the quickest), ms"
    )
    with tempfile.TemporaryDirectory() as folder:
        alone(options, Path(folder))
        imports(options)
        forks()
        asyncio.run(hosts(options, Path(folder)))
        servers(options, Path(folder))


if __name__ == "__main__":
    main()
