"""How long something takes, and how that is told."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def timed(do: Callable[[], object]) -> tuple[float, float]:
    """Return the milliseconds that passed, and those of them that the processor worked."""
    begun, worked = time.perf_counter(), time.process_time()
    do()
    return (time.perf_counter() - begun) * 1e3, (time.process_time() - worked) * 1e3


def told(took: list[tuple[float, float]]) -> str:
    passed, worked = zip(*took, strict=True)
    text = f"{statistics.median(passed):.1f} ms ({statistics.median(worked):.1f} ms of processor)"
    return text if len(took) == 1 else f"median {text}, worst {max(passed):.0f} ms"


def a_loop() -> None:
    """Do what anybody can do: tell of a machine how fast it is just now."""
    for _ in range(1_000_000):
        pass
