"""Pieces of PromQL: what is selected is named by equality alone, so that nothing is a pattern."""

from __future__ import annotations

#: Percentiles that latencies are shown by, and as parts of all.
QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
#: The window that Grafana fits to the scrapes and to the width of the panel.
_WINDOW = "$__rate_interval"


def selected(family: str, **labels: str) -> str:
    """Return the samples of a family with these labels."""
    wanted = ", ".join(f'{name}="{_quoted(text)}"' for name, text in labels.items())
    return f"{family}{{{wanted}}}" if wanted else family


def rate(selector: str, by: str) -> str:
    """Return how fast counters rise, a second, added up by labels."""
    return f"sum by ({by}) (rate({selector}[{_WINDOW}]))"


def increase(selector: str, by: str, span: str) -> str:
    """Return by how much counters rose within a span."""
    return f"sum by ({by}) (increase({selector}[{span}]))"


def quantile(part: float, selector: str, by: str) -> str:
    """Return a quantile of a histogram; the selector is of its buckets."""
    return f"histogram_quantile({part:g}, {rate(selector, f'le, {by}')})"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
