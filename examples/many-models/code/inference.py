"""Tells the class of a row of numbers; each of the models brings its own copy of this script.

The container keeps the scripts apart, so that another model may have another one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib


def model_fn(model_dir: str) -> dict[str, Any]:
    """Return the classifier with the names of its classes."""
    folder = Path(model_dir)
    return {
        "classifier": joblib.load(folder / "model.joblib"),
        "classes": json.loads((folder / "classes.json").read_text(encoding="utf-8")),
    }


def predict_fn(rows: Any, model: dict[str, Any]) -> dict[str, list[str]]:
    """Return the class of each row."""
    found = model["classifier"].predict(rows)
    return {"classes": [model["classes"][int(number)] for number in found]}
