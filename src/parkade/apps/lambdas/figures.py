"""Figures of a function: lines of its log that CloudWatch makes metrics of, without a call.

The form is CloudWatch's embedded metric format.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: The namespace of what Parkade tells of itself.
NAMESPACE = "Parkade"
#: The dimension that tells projects apart.
PROJECT = "Project"

COUNT, SECONDS = "Count", "Seconds"


def figures(
    at: datetime, project: str, values: Mapping[str, tuple[float, str]], **beside: object
) -> str:
    """Return the line: each value with its unit, and what stands beside them for people."""
    return json.dumps(
        {
            "_aws": {
                "Timestamp": int(at.timestamp() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": NAMESPACE,
                        "Dimensions": [[PROJECT]],
                        "Metrics": [
                            {"Name": name, "Unit": unit} for name, (_, unit) in values.items()
                        ],
                    }
                ],
            },
            PROJECT: project,
            **{name: value for name, (value, _) in values.items()},
            **beside,
        }
    )


def tell(line: str) -> None:
    """Write the line to the log."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
