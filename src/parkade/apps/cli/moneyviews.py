"""What the CLI shows of money, made of the API's answers: pure, so that a test can look at it.

Everything fits the width it is given; what has to give way are names, never amounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from parkade.apps.cli import views
from parkade.apps.cli.amounts import UNPRICED, amount, whole
from parkade.domain.price import CURRENCY, NOTHING, dollars

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

_GAP = 2
_LEAST_NAME = 8
_FIRST = {"endpoint": "Endpoint", "owner": "Owner", "day": "Day (UTC)"}
_AMOUNTS = ("used", "idle", "cost", "always_on")
_FULL, _NEARLY = Decimal("0.9"), Decimal("0.7")


def since(bill: Mapping[str, Any]) -> str:
    """Write from when on a bill counts."""
    return f"{datetime.fromisoformat(bill['since']).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Bill:
    """The table of `cost`, with all of it together below."""

    bill: Mapping[str, Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give amounts what they need, and names the rest."""
        lines, by = self.bill["lines"], self.bill["by"]
        cells = [[*self._names(each), *self._amounts(each)] for each in lines]
        heads = [_FIRST[by], *(["Owner"] if by == "endpoint" else [])]
        named = len(heads)
        heads += ["Hours", "Used", "Idle", "Cost", "Always on", "Saved"]
        widths = [max(len(row[i]) for row in [heads, *cells]) for i in range(len(heads))]
        room = options.max_width - sum(widths[named:]) - _GAP * (len(heads) - 1)
        widths[:named] = _shared(widths[:named], room)
        table = views.plain_table()
        for i, head in enumerate(heads):
            number = i >= named
            table.add_column(
                head,
                width=widths[i],
                no_wrap=number,
                overflow="fold",
                justify="right" if number else "left",
                style="bold" if i in {0, named + 3} else "dim" if head == "Idle" else "",
            )
        for row in cells:
            table.add_row(*row)
        yield table
        yield self._total()

    def _names(self, line: Mapping[str, Any]) -> list[str]:
        if self.bill["by"] == "day":
            return [line["day"]]
        owner = line["owner"] or "-"
        return [line["endpoint_name"], owner] if self.bill["by"] == "endpoint" else [owner]

    def _amounts(self, line: Mapping[str, Any]) -> list[str]:
        hours = f"{line['instance_hours']:.2f}"
        return [hours, *(amount(line[name]) for name in _AMOUNTS), dollars(Decimal(line["saved"]))]

    def _total(self) -> Text:
        total = self.bill["total"]
        cost, idle = Decimal(total["cost"]["usd"]), Decimal(total["idle"]["usd"])
        told = Text.assemble(
            ("Together ", "dim"),
            (whole(total["cost"]), "bold"),
            (f" since {since(self.bill)}", "dim"),
        )
        if cost:
            told.append(f", {idle / cost:.0%} of it idle", "dim")
        saved = Decimal(total["saved"])
        if saved:
            told.append(f"; {dollars(saved)} {CURRENCY} saved by not being always on", "dim")
        return told


def prices(listing: Mapping[str, Any]) -> RenderableType:
    """Show prices, with what is said of each."""
    rows = [
        (
            Text(each["instance_type"], style="bold"),
            Text(each["usd_per_hour"] or UNPRICED, style="" if each["usd_per_hour"] else "yellow"),
            each["source"] or "-",
            each["dated"] or "-",
            _remark(each),
        )
        for each in listing["prices"]
    ]
    table = views.plain_table()
    table.add_column("Type", no_wrap=True)
    table.add_column("USD an hour", justify="right", no_wrap=True)
    table.add_column("Source", no_wrap=True)
    table.add_column("As of", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return Group(table, Text(f"{listing['region']}: {listing['origin']}", style="dim"))


def _remark(price: Mapping[str, Any]) -> Text:
    if price["usd_per_hour"] is None:
        return Text(price["reason"], style="yellow")
    return Text("" if price["confirmed"] else "unconfirmed", style="yellow")


def differing(known: Mapping[str, str | None], found: Mapping[str, Decimal]) -> int:
    """Return how many prices are new, or others than were known."""
    return sum(
        known.get(name) is None or Decimal(str(known[name])) != hourly
        for name, hourly in found.items()
    )


@dataclass(frozen=True, slots=True)
class Budgets:
    """The table of `budget ls`."""

    budgets: Sequence[Mapping[str, Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give amounts what they need, the bar its cells, and names the rest."""
        width = options.max_width
        heads = ("Owner", "Spent", "Reserved", "Left", "", "Budget", "Then", "Renews (UTC)")
        rows = [self._row(each) for each in self.budgets]
        widths = [max([len(heads[i]), *(len(row[i]) for row in rows)]) for i in range(len(heads))]
        room = width - sum(widths[1:]) - _GAP * (len(heads) - 1)
        # The bar gives way before the names do.
        cells = next((bar for bar in (20, 10) if room - bar >= widths[0]), 0)
        widths[4] = cells
        widths[0] = max(_LEAST_NAME, min(widths[0], room - cells))
        table = views.plain_table()
        for i, head in enumerate(heads):
            table.add_column(
                head,
                width=widths[i],
                no_wrap=i > 0,
                overflow="fold",
                justify="right" if i in {1, 2, 3} else "left",
                style="bold" if i in {0, 3} else "",
            )
        for each, row in zip(self.budgets, rows, strict=True):
            table.add_row(*row[:4], _bar(each, cells), *row[5:])
        yield table

    def _row(self, budget: Mapping[str, Any]) -> list[str]:
        at_least = "≥ " if budget["unpriced"] else ""
        end = datetime.fromisoformat(budget["end"]).astimezone(UTC)
        return [
            budget["owner"],
            at_least + dollars(Decimal(budget["spent"])),
            dollars(Decimal(budget["reserved"])),
            dollars(Decimal(budget["left"])),
            "",
            f"{dollars(Decimal(budget['usd']))} a {budget['per']}",
            budget["then"],
            f"{end:%m-%d %H:%M}",
        ]


def standing(budget: Mapping[str, Any]) -> str:
    """Tell how a budget stands, in a sentence."""
    when = "today" if budget["per"] == "day" else f"this {budget['per']}"
    return (
        f"{budget['owner']}: {dollars(Decimal(budget['usd']))} {CURRENCY} a {budget['per']}; "
        f"{dollars(Decimal(budget['spent']))} spent and {dollars(Decimal(budget['reserved']))} "
        f"reserved {when}, {dollars(Decimal(budget['left']))} left; then: {budget['then']}"
    )


def _bar(budget: Mapping[str, Any], cells: int) -> Text:
    """Draw what is spent of a budget, and what is reserved behind it."""
    limit = Decimal(budget["usd"])
    spent, reserved = Decimal(budget["spent"]), Decimal(budget["reserved"])
    share = spent / limit if limit else Decimal(1)
    taken = (spent + reserved) / limit if limit else Decimal(1)
    colour = "red" if taken >= _FULL else "yellow" if taken >= _NEARLY else "green"
    full = min(cells, round(share * cells))
    ahead = min(cells, round(taken * cells)) - full
    if taken > NOTHING and not full + ahead:
        ahead = 1
    return Text.assemble(
        ("█" * full, colour), ("▒" * ahead, colour), ("·" * (cells - full - ahead), "dim")
    )


def _shared(wanted: Sequence[int], room: int) -> list[int]:
    """Share a width out among names, the first ones getting most."""
    if sum(wanted) <= room:
        return list(wanted)
    if len(wanted) == 1:
        return [max(_LEAST_NAME, room)]
    last = min(wanted[-1], max(_LEAST_NAME, room // 3))
    return [max(_LEAST_NAME, room - last), last]
