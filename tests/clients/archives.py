"""Model archives as strangers send them."""

from __future__ import annotations

import gzip
import io
import tarfile

#: A script that answers as `tests.faults.load` asks.
NEIGHBOUR = """
import json

def model_fn(folder):
    return None

def transform_fn(model, body, content_type, accept):
    return json.dumps({"word": "well", "n": json.loads(body)["n"]})
"""
#: The beginning of a script that loads.
MODEL = "def model_fn(folder):\n    return None\n\n"


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), 1)


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(content), target
    return info, content


def script(text: str) -> bytes:
    return packed(member("code/inference.py", text.encode()))
