"""The smallest model: it counts the characters of a text. Benchmarks and tests use it."""

from __future__ import annotations

import json


def model_fn(_model_dir: str) -> None:
    """There is nothing to load."""


def transform_fn(_model: None, body: str, _content_type: str, _accept: str) -> str:
    """Answer `{"text": "..."}` with the number of its characters."""
    text = json.loads(body)["text"]
    return json.dumps({"ok": True, "n": len(text)})
