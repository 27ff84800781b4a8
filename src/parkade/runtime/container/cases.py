"""Runs requests through a model folder in this process, without a server.

Each takes the way of an invocation, from body to answer. What is asked, and what should have been
answered, is known outside: here nothing of Parkade is installed.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .messages import Answer, Request
from .script import code_folder, load
from .streams import gathered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def run(
    model_dir: Path, environ: Mapping[str, str], requests: Iterable[tuple[bytes, str]]
) -> Iterator[Answer]:
    """Load the model and answer the requests, bodies with their content types, one by one.

    Raises BadModel for an unusable folder.
    """
    with _own_modules(code_folder(model_dir.resolve())):
        script = load(model_dir.resolve(), environ)
        for body, content_type in requests:
            headers = {b"content-type": content_type.encode()}
            yield gathered(script.answer(Request(body, headers)))


@contextmanager
def _own_modules(folder: Path) -> Iterator[None]:
    """Take the script and its neighbours out again, so that the next folder's are its own."""
    path = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]
