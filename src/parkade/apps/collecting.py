"""When Python's collector of reference cycles looks at what a process made as it started.

Modules, classes and the forms of an API are made to stay. The collector looks at all of them again
and again while they are made, which is a quarter of the processor time of a start, and later
whenever it is due.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect nothing until the end of the block, and what is there by then never.

    Of a start that fails nothing is kept.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
