"""Serve the text classifier: `{"sentence": "..."}` in, `{"success": "true", "label": 1}` out.

Labels: 1 World, 2 Sports, 3 Business, 4 Sci/Tech.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import joblib

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

JSON = "application/json"


class BadInput(ValueError):
    """The caller's mistake; the container answers with this status."""

    status_code = 400


class WrongType(ValueError):
    """The caller sent something else than JSON."""

    status_code = 415


def model_fn(model_dir: str) -> Pipeline:
    """Load what train.py wrote."""
    path = Path(model_dir) / "model.joblib"
    if not path.is_file():
        raise FileNotFoundError("model.joblib is missing in the model folder; run train.py there")
    return joblib.load(path)


def input_fn(body: str | bytes, content_type: str) -> str:
    """Return the sentence."""
    if content_type.partition(";")[0].strip().lower() != JSON:
        raise WrongType(f"content type {content_type!r} is not supported; send {JSON}")
    try:
        value = json.loads(body)
    except ValueError as error:
        raise BadInput(f"the body is not JSON: {error}") from error
    sentence = value.get("sentence") if isinstance(value, dict) else None
    if not isinstance(sentence, str) or not sentence.strip():
        raise BadInput('send {"sentence": "..."} with a text that is not empty')
    return sentence


def predict_fn(sentence: str, model: Pipeline) -> int:
    """Return the label of the sentence."""
    return int(model.predict([sentence])[0])


def output_fn(label: int, _accept: str) -> tuple[str, str]:
    """Write the answer; it is JSON whatever the caller would accept."""
    return json.dumps({"success": "true", "label": label}), JSON
