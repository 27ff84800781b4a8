"""What the CLI shows of a project's difference: one block for each change, and the price of a month.

Made of the API's answers: pure, so that a test can look at it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from parkade.apps.cli import amounts, newparts, views

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

#: What stands before a change, as wide for all of them, and how it is coloured.
_SIGNS = {
    "create": ("  +", "green"),
    "change": ("  ~", "yellow"),
    "replace": ("-/+", "magenta"),
    "remove": ("  -", "red"),
}
#: What was done, or is to be done, as it is counted.
_COUNTED = {
    "create": "to create",
    "change": "to change",
    "replace": "to replace",
    "remove": "to remove",
}
_MARGIN = 4
_ARROW = " → "
NOTHING = "none"
#: A text that is longer is told without its middle.
_ROOM = 2000
_CUT = " … "
#: Of what is new, a member is to take one line, in pipes one of this width; a value that is cut
#: keeps so much.
_NEW_ROOM, _LEAST = 116, 60


def difference(view: Mapping[str, Any]) -> RenderableType:
    """Tell what would be done, what it costs, and what is wrong with it."""
    blocks: list[RenderableType] = [Text.assemble((view["project"], "bold"), ": ", count(view))]
    for change in view["changes"]:
        blocks += [Text(), _Block(change, view["project"])]
    blocks += [Text(), _foot(view)]
    return Group(*blocks)


def count(view: Mapping[str, Any]) -> str:
    """Say how many changes there are of each kind: `2 to create, 1 to remove, 3 stay as they are`."""
    verbs = [change["verb"] for change in view["changes"]]
    told = [f"{verbs.count(verb)} {words}" for verb, words in _COUNTED.items() if verb in verbs]
    unchanged = view["unchanged"]
    if unchanged:
        told.append("1 stays as it is" if unchanged == 1 else f"{unchanged} stay as they are")
    return ", ".join(told) or "nothing to do"


def _foot(view: Mapping[str, Any]) -> RenderableType:
    facts = views.fact_table()
    facts.add_row("price", whole_price(view))
    for each in view["stays"]:
        facts.add_row("stays", each)
    for each in view["problems"]:
        facts.add_row("problem", Text(problem(each), style="red"))
    return facts


def whole_price(view: Mapping[str, Any]) -> str:
    """Say what a month of the project costs before and after."""
    before, after = view["monthly_before"], view["monthly_after"]
    if before == after:
        return f"{_monthly(after)} while all of it runs, as before"
    if not _costs(after):
        return f"{_monthly(before)} before, nothing after"
    was = _monthly(before) if _costs(before) else "nothing"
    return f"{was} before, {_monthly(after)} after, while all of it runs"


def problem(view: Mapping[str, Any]) -> str:
    """Tell what is wrong with which part, and what to do."""
    about = f"{view['kind']} {view['name']}: " if view["kind"] else ""
    hint = f"; {view['hint']}" if view["hint"] else ""
    return f"{about}{view['message'].rstrip('. ')}{hint}"


@dataclass(frozen=True, slots=True)
class _Block:
    """One change: what is done about which part, and each member that changes of it.

    Of a part that is made anew, what is to be decided by.
    """

    change: Mapping[str, Any]
    #: The project's prefix.
    project: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Tell a member on one line where there is room for it, else its values below it."""
        change = self.change
        sign, style = _SIGNS[change["verb"]]
        heading = Text.assemble(
            (f"{sign} {change['verb']} ", style), f"{change['kind']} ", (change["name"], "bold")
        )
        yield heading
        for line in _beside(change):
            yield Padding(Text(line, style="dim"), (0, 0, 0, _MARGIN), expand=False)
        room = options.max_width - _MARGIN
        drawn: list[RenderableType]
        if change["verb"] == "create":
            told = newparts.members(change, self.project)
            drawn = [_member(path, value, min(room, _NEW_ROOM)) for path, value in told]
        else:
            drawn = [_field(each, room) for each in change["fields"]]
        for each in drawn:
            yield Padding(each, (0, 0, 0, _MARGIN), expand=False)


def _beside(change: Mapping[str, Any]) -> Iterable[str]:
    """Tell what there is to know about a change beside its members."""
    if change["formers"]:
        yield f"in place of {', '.join(change['formers'])}"
    if change["reason"]:
        yield change["reason"]
    told = _price(change["monthly_before"], change["monthly_after"])
    if told:
        yield told


def _price(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    """Say what a month of a part costs; empty: it costs nothing, before and after."""
    if not _costs(before) and not _costs(after):
        return ""
    if before == after and after is not None:
        return f"{_monthly(after)}, as before"
    told = [f"{_monthly(before)} before"] if before is not None else []
    if after is not None:
        told.append(f"{_monthly(after)}{' after' if told else ''}, while it runs")
    return ", ".join(told)


def _monthly(amount: Mapping[str, Any]) -> str:
    """Say what a month costs; that nobody knows it is not nothing."""
    if not Decimal(amount["usd"]) and amount["unpriced"]:
        return f"no price is known for {', '.join(amount['unpriced'])}"
    return f"{amounts.whole(amount)} a month"


def _costs(amount: Mapping[str, Any] | None) -> bool:
    return amount is not None and (bool(amount["unpriced"]) or Decimal(amount["usd"]) != 0)


def _member(path: str, value: object, room: int) -> RenderableType:
    """Tell a member of what is new, without the middle of a value that is long; or a line."""
    if not path:
        return Text(_value(value))
    told = _cut(_value(value), max(_LEAST, room - len(path) - 2))
    line = Text.assemble((f"{path}: ", "dim"), told)
    if len(line) <= room:
        return line
    return Group(Text(f"{path}:", style="dim"), _indented(("", told)))


def _field(field: Mapping[str, Any], room: int) -> RenderableType:
    """Tell how a member changes."""
    path = f"{field['path']}: "
    if field["hidden"]:
        return Text.assemble(path, ("a secret, another one than before", "yellow"))
    before, after = _value(field["before"]), _value(field["after"])
    line = Text.assemble(path, (before, "red"), _ARROW, (after, "green"))
    if len(line) <= room:
        return line
    return Group(
        Text(path.rstrip()), _indented(("-", Text(before, "red")), ("+", Text(after, "green")))
    )


def _indented(*rows: tuple[str, RenderableType]) -> Table:
    """Put values below their path, each behind its sign."""
    values = Table.grid(padding=(0, 1, 0, 0))
    values.add_column(no_wrap=True)
    values.add_column(overflow="fold")
    for sign, value in rows:
        values.add_row(f"  {sign}" if sign else " ", value)
    return values


def _value(value: object) -> str:
    """Write a value: texts as they are, all else as JSON."""
    if value is None:
        return NOTHING
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _cut(" ".join(told.split()) if told.strip() else json.dumps(told), _ROOM)


def _cut(text: str, room: int) -> str:
    half = (room - len(_CUT)) // 2
    return text if len(text) <= room else f"{text[:half]}{_CUT}{text[-half:]}"


def sentence(problems: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return all problems in one sentence, and what to do about the first."""
    first, *others = problems
    about = f"{first['kind']} {first['name']}: " if first["kind"] else ""
    more = "".join(f"; {problem({**each, 'hint': ''})}" for each in others)
    return f"{about}{first['message'].rstrip('. ')}{more}", first["hint"]
