"""What a simulation came to: as a table, as JSON, as CSV. Pure, so that a test can look at it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from parkade.domain import price
from parkade.domain.event import written
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from rich.console import Console, ConsoleOptions, RenderResult

    from parkade.domain.simulation.comparison import Comparison, Row
    from parkade.domain.simulation.outcome import Outcome

#: From this width on there is room for a bar.
_WIDE = 104
_CELLS = 16
#: So many requests may meet it stopped or waking before a rule is not recommended.
TOLERATED = 0.05
#: Shares below this are not written out.
_SMALLEST = 0.001
#: From this amount on nobody looks at cents.
_WITHOUT_CENTS = 1000
#: From so many hours on nobody looks at parts of them.
_WHOLE_HOURS = 100
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """The table: one rule a row, what it costs beside whom it keeps waiting."""

    comparison: Comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give numbers what they need, and the names of rules the rest."""
        wide = options.max_width >= _WIDE
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
        table.add_column("Rule", overflow="fold", style="bold", ratio=1, vertical="bottom")
        for heading in _HEADINGS:
            table.add_column(heading, justify="right", no_wrap=True)
        if wide:
            table.add_column("  Cost beside\n  always on", width=_CELLS + 2, no_wrap=True)
        for row in self.comparison.rows:
            table.add_row(*_cells(row, wide=wide), *([_bar(row)] if wide else []))
        yield table


_HEADINGS = (
    "Cost\nUSD", "Saved\n%", "Saved\nUSD", "Hours\nup", "Coins\n", "Met\nstopped", "Met\nwaking",
    "Longest\nwait",
)  # fmt: skip


def _cells(row: Row, *, wide: bool) -> list[str | Text]:
    whole = row.whole
    priced = bool(row.cost.usd) or not row.cost.unpriced
    return [
        row.rule.name,
        _money(row.cost.usd) if priced else "unpriced",
        f"{row.share_saved:.0%}",
        _money(row.saved) if priced else "-",
        _hours(whole.up / _HOUR),
        f"{whole.coins:,}",
        _part(whole.stopped, whole, share=wide),
        _part(whole.waking, whole, share=wide),
        _wait(whole),
    ]


def _bar(row: Row) -> Text:
    share = min(1.0, max(0.0, 1 - row.share_saved))
    full = round(share * _CELLS)
    colour = "green" if share < 0.4 else "yellow" if share < 0.8 else "red"
    return Text.assemble("  ", ("█" * full, colour), ("░" * (_CELLS - full), "grey37"))


def _money(amount: Decimal) -> str:
    return price.dollars(amount) if amount < _WITHOUT_CENTS else f"{amount:,.0f}"


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= _WHOLE_HOURS else f"{hours:.1f}"


def _part(count: int, whole: Outcome, *, share: bool) -> str:
    """Write a number of requests, with its share where there is room."""
    if not count or not share:
        return f"{count:,}"
    part = count / whole.requests
    return f"{count:,} ({part:.1%})" if part >= _SMALLEST else f"{count:,} (<{_SMALLEST:.1%})"


def _wait(whole: Outcome) -> str:
    if not whole.longest_wait:
        return "-"
    return f"{'> ' if whole.unanswered else ''}{duration(whole.longest_wait)}"


def about(comparison: Comparison) -> str:
    """Say what was replayed, and over what time."""
    count = len(comparison.subjects)
    period = comparison.period
    return (
        f"{comparison.requests:,} requests to {count} endpoint{'s' if count != 1 else ''}, "
        f"{period.start:%Y-%m-%d %H:%M} to {period.end:%Y-%m-%d %H:%M} UTC "
        f"({duration(period.length)})"
    )


def reading(comparison: Comparison) -> str:
    """Say in a line how to read the table, and which rule it speaks for."""
    told = (
        "Coins: how often somebody had to pay. Met stopped: requests that nothing answered. Met "
        "waking: it was starting or waking up. Longest wait: until it served"
    )
    if any(row.whole.unanswered for row in comparison.rows):
        told += " (>: it still did not at the end)"
    best = comparison.best(TOLERATED)
    if best is None:
        return f"{told}."
    return f"{told}. Cheapest where at most {TOLERATED:.0%} of the requests met it so: {best.rule.name}."


def assumptions(comparison: Comparison) -> str:
    """Say what the simulation takes for granted."""
    rules = [row.rule for row in comparison.rows]
    paying = sorted({rule.back for rule in rules if rule.lease is not None})
    starting = sorted({rule.start for rule in rules})
    said = f"A start takes {_either(starting)} and is paid for"
    if paying:
        said += f"; whoever met it stopped pays {_either(paying)} later, and never ahead"
    return f"{said}. A request that was refused is not sent again."


def _either(spans: Iterable[timedelta]) -> str:
    return " or ".join(duration(span) if span else "no time" for span in spans)


def document(comparison: Comparison) -> dict[str, Any]:
    """Return all of it as JSON."""
    return {
        "start": written(comparison.period.start),
        "end": written(comparison.period.end),
        "requests": comparison.requests,
        "endpoints": [
            {
                "endpoint_name": each.endpoint_name,
                "about": each.words,
                "requests": each.traffic.requests,
                "hourly_usd": float(each.hourly.usd),
                "unpriced": sorted(each.hourly.unpriced),
            }
            for each in comparison.subjects
        ],
        "rules": [
            {
                **_facts(row),
                "endpoints": {
                    name: {"hours_up": outcome.up / _HOUR, **_counts(outcome)}
                    for name, outcome in row.outcomes.items()
                },
            }
            for row in comparison.rows
        ],
    }


def lines(comparison: Comparison) -> str:
    """Return the table as CSV, one rule a line."""
    rows = [_facts(row) for row in comparison.rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _facts(row: Row) -> dict[str, Any]:
    return {
        "rule": row.rule.name,
        "cost_usd": float(price.rounded(row.cost.usd)),
        "unpriced": " ".join(sorted(row.cost.unpriced)),
        "saved_usd": float(price.rounded(row.saved)),
        "saved_share": round(row.share_saved, 6),
        "hours_up": round(row.whole.up / _HOUR, 6),
        **_counts(row.whole),
    }


def _counts(outcome: Outcome) -> dict[str, Any]:
    return {
        "requests": outcome.requests,
        "served": outcome.served,
        "met_stopped": outcome.stopped,
        "met_waking": outcome.waking,
        "longest_wait_seconds": outcome.longest_wait.total_seconds(),
        "unanswered": outcome.unanswered,
        "coins": outcome.coins,
        "paid_by_itself": outcome.by_itself,
        "starts": outcome.starts,
        "idle_stops": outcome.idle_stops,
    }
