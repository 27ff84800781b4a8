"""What the parts of the benchmark of wakes have in common."""

from __future__ import annotations

import socket
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.runtime import packing

if TYPE_CHECKING:
    from collections.abc import Sequence


class Times:
    """Seconds of rounds, by way and by what they are of."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, way: str, what: str, seconds: float) -> None:
        """Take note of one round's."""
        self.found[way][what].append(seconds)

    def show(self, columns: Sequence[str]) -> None:
        """Print the median and the quickest of each, in milliseconds."""
        print(f"| way | {' | '.join(columns)} |\n" + "| --- " * (len(columns) + 1) + "|")
        for way, of_way in self.found.items():
            cells = [
                f"{statistics.median(of_way[c]) * 1000:.0f} ({min(of_way[c]) * 1000:.0f})"
                for c in columns
            ]
            print(f"| {way} | {' | '.join(cells)} |")


def packed(folder: Path) -> bytes:
    """Return the model folder as an archive."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "model.tar.gz"
        packing.pack(folder, path)
        return path.read_bytes()


def answered(address: str, body: bytes) -> None:
    """Ask a worker at its socket; return once it has answered."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        answer = connection.recv(65536)
        if b" 200 " not in answer[:20]:
            raise SystemExit(answer.decode())


def listens(path: Path) -> bool:
    """Tell whether somebody accepts connections there."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
