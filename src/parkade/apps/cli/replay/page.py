"""A replay's report as one page of HTML that needs nothing beside it.

What was captured is hostile: whatever comes out of the report is escaped, in `_text`, and the page
allows itself neither scripts nor anything from elsewhere.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from parkade.apps.cli.replay import report, wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Rows of a table of fields; the JSON has all of them.
_ROWS = 50


def page(document: Mapping[str, Any]) -> str:
    """Return the page of a report."""
    here = files("parkade.apps.cli.replay")
    template = Template((here / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=_text(report.name_of(document["to"])),
        style=(here / "page.css").read_text(encoding="utf-8"),
        to=_text(report.name_of(document["to"])),
        about=_text(wording.about(document)),
        warnings="".join(
            f'<p class="warning">{_text(each)}</p>' for each in wording.warnings(document)
        ),
        agreement=_agreement(document["agreement"]),
        fields=_fields(document),
        deviations=_deviations(document["deviations"]),
        sides=_sides(document),
        read=_read(document),
        examples=_examples(document["examples"]),
    )


def _text(value: object) -> str:
    return escape(str(value), quote=True)


def _agreement(agreement: Mapping[str, Any]) -> str:
    whole = agreement["compared"]
    if not whole:
        return f"<p>{_text(wording.agreement(agreement))}</p>"
    kinds = (
        ("agree", "agrees", "agree"),
        ("differ", "differs", "differ"),
        ("failed", "failed", "failed"),
    )
    bars = "".join(
        f'<span class="{style}" style="width:{100 * agreement[name] / whole:.3f}%"></span>'
        for name, style, _ in kinds
    )
    keys = "".join(
        f'<li><i class="{style}"></i>{agreement[name]:,} {word}</li>' for name, style, word in kinds
    )
    return (
        f'<p class="share">{_text(wording.percent(agreement["share"]))} '
        f"<small>{_text(wording.within(agreement))}</small></p>"
        f'<div class="bar">{bars}</div><ul class="key">{keys}</ul>'
    )


def _fields(document: Mapping[str, Any]) -> str:
    rows = [
        (
            _code(each["path"]),
            _number(f"{each['answers']:,}"),
            _number(wording.percent(each["share"])),
        )
        for each in document["fields"][:_ROWS]
    ]
    columns = ("Field", _number("Answers that differ", "th"), _number("Share", "th"))
    return _section("Fields that differ", columns, rows)


def _deviations(deviations: Sequence[Mapping[str, Any]]) -> str:
    names = ("mean", "p50", "p99", "max")
    rows = [
        (
            _code(each["path"]),
            _number(f"{each['count']:,}"),
            *(_number(wording.number(each[name])) for name in names),
        )
        for each in deviations[:_ROWS]
    ]
    columns = ("Field", _number("Numbers", "th"), *(_number(name, "th") for name in names))
    return _section("How far numbers lie apart", columns, rows)


def _sides(document: Mapping[str, Any]) -> str:
    rows = [
        (
            _cell(_text(name)),
            _cell(_text(wording.statuses(side))),
            *(_number(wording.milliseconds(side, each)) for each in ("p50", "p90", "p99", "max")),
        )
        for name, side in wording.sides(document)
    ]
    columns = ("", "Statuses", *(_number(name, "th") for name in ("p50", "p90", "p99", "max")))
    return _section("Answers and their times", columns, rows)


def _read(document: Mapping[str, Any]) -> str:
    rows = [(_cell(_text(name)), _number(f"{count:,}")) for name, count in wording.counts(document)]
    told = _section("What was read", ("", _number("Number", "th")), rows)
    named = [
        (_code(each["place"]), _cell(_text(each["why"])))
        for each in document["read"]["unreadable_named"]
    ]
    return told + _section("What could not be read", ("Where", "Why"), named)


def _examples(examples: Sequence[Mapping[str, Any]]) -> str:
    if not examples:
        return ""
    told = [_example(each, first=number == 0) for number, each in enumerate(examples)]
    return f"<section><h2>The worst examples</h2>{''.join(told)}</section>"


def _example(example: Mapping[str, Any], *, first: bool) -> str:
    rows = [
        (_code(each["path"]), _code(_or_absent(each["before"])), _code(_or_absent(each["after"])))
        for each in example["differences"]
    ]
    rows += [
        (_code(each), _code("(absent)"), _code("(absent)")) for each in example["missing_fields"]
    ]
    verdict = example["verdict"]
    style = "failed" if verdict == "failed" else "differs"
    place = str(example["place"]).rpartition("/")[2]
    return (
        f"<details{' open' if first else ''}><summary>"
        f'<b class="{style}">{_text(verdict)}</b> <code>{_text(wording.example(example))}</code> '
        f"<small>{_text(place)}</small></summary><div>"
        f"{_table(('Field', 'Before', 'After'), rows) if rows else ''}"
        f"<h3>Input</h3>{_block(example['input'])}"
        f'<div class="pair"><div><h3>Before</h3>{_block(example["before"])}</div>'
        f"<div><h3>After</h3>{_block(example['after'])}</div></div></div></details>"
    )


def _block(text: str | None) -> str:
    return f"<pre>{_text('(none)' if text is None else text)}</pre>"


def _or_absent(text: str | None) -> str:
    return "(absent)" if text is None else text


def _section(title: str, columns: Iterable[str], rows: Sequence[Iterable[str]]) -> str:
    if not rows:
        return ""
    return f"<section><h2>{_text(title)}</h2>{_table(columns, rows)}</section>"


def _table(columns: Iterable[str], rows: Sequence[Iterable[str]]) -> str:
    head = "".join(each if each.startswith("<th") else f"<th>{each}</th>" for each in columns)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(inner: str) -> str:
    return f"<td>{inner}</td>"


def _code(text: object) -> str:
    return _cell(f"<code>{_text(text)}</code>")


def _number(text: str, tag: str = "td") -> str:
    return f'<{tag} class="number">{_text(text)}</{tag}>'
