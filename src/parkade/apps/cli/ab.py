"""The command ab: the variants of an endpoint side by side."""

from typing import Annotated, Any

import typer
from rich.text import Text

from parkade.apps.cli import options, render, views
from parkade.apps.cli.session import connect
from parkade.domain.spans import read_span

_STYLES = {"fewer_errors": "green", "more_errors": "red"}


def ab(
    endpoint: options.Endpoint,
    *,
    since: Annotated[
        str, typer.Option("--since", metavar="SPAN", help="How far back: 30m, 1h or 7d.")
    ] = "1h",
    smallest: Annotated[
        float,
        typer.Option(
            metavar="P", help="Percent: the smallest difference of error rates that matters."
        ),
    ] = 1,
    fields: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Of a shadow's answers, only this field; repeatable."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Of a shadow's answers, not this field; repeatable."),
    ] = None,
    tolerance: Annotated[
        str, typer.Option(metavar="N", help="Numbers may differ by 0.01, by 1%, or by 0.01,1%.")
    ] = "0",
    as_json: options.Json = False,
) -> None:
    """Compare the variants of an endpoint: share, errors, latency, and how sure that is.

    In brackets: what it lies between, at 95 % confidence.

    [dim]Example:[/dim] parkade ab text --since 24h
    """
    with connect() as client:
        found = client.get(
            "endpoints",
            endpoint,
            "ab",
            span=read_span(since, field="since").total_seconds(),
            smallest=smallest / 100,
            field=fields or None,
            ignore=ignore or None,
            tolerance=tolerance,
        )
    if as_json:
        render.machine(found)
        return
    render.show(f"[dim]{views.instant(found['start'])} to {views.instant(found['end'])}[/dim]")
    render.show("")
    render.show(_traffic(found))
    render.show("")
    render.show(_latencies(found))
    for line in (*_verdicts(found), *_agreement(found)):
        render.show("")
        render.show(line)


def _traffic(found: dict[str, Any]) -> Any:
    rows = [
        (
            _name(each),
            f"{each['requests']:,}",
            _percent(each["share"]),
            _percent(each["share_wanted"]),
            f"{each['errors']:,}",
            Text(_share(each["error_rate"])),
        )
        for each in found["variants"]
    ]
    return views.listing(("Variant", "Requests", "Share", "Wanted", "Errors", "Error rate"), rows)


def _latencies(found: dict[str, Any]) -> Any:
    rows: list[list[Any]] = [
        [_name(each), *map(_latency, each["latency"])] for each in found["variants"]
    ]
    names = [each["name"] for each in found["variants"][0]["latency"]] if rows else []
    return views.listing(("Latency in ms", *names), rows)


def _verdicts(found: dict[str, Any]) -> list[Text]:
    return [
        Text.assemble(
            (f"{each['variant']} beside {each['baseline']}: ", "bold"),
            (each["verdict"], _STYLES.get(each["finding"], "")),
            f"\n  difference of error rates {_share(each['difference'], signed=True)}",
        )
        for each in found["comparisons"]
    ]


def _agreement(found: dict[str, Any]) -> list[Text]:
    told = [
        Text.assemble(
            (f"{each['shadow']} answers as {each['production']}: ", "bold"),
            f"{_share(each['share'])} of {each['pairs']:,} captured pairs"
            if each["pairs"]
            else "no captured pairs in this time",
            *(
                f"\n  {text}"
                for text in (
                    "" if each["complete"] else "the newest of them only",
                    f"to {each['unpaired']:,} more there is no captured answer of {each['shadow']}"
                    if each["unpaired"]
                    else "",
                    f"captured lines that cannot be read: {each['unreadable']:,}"
                    if each["unreadable"]
                    else "",
                )
                if text
            ),
        )
        for each in found["agreement"]
    ]
    if found["agreement_reason"]:
        told.append(Text(f"The shadow's answers cannot be compared: {found['agreement_reason']}"))
    return told


def _name(each: dict[str, Any]) -> str:
    return f"{each['name']} (shadow)" if each["shadow"] else str(each["name"])


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _share(told: dict[str, Any], *, signed: bool = False) -> str:
    if told["value"] is None:
        return "-"
    form = "{:+.2%} [{:+.2%} {:+.2%}]" if signed else "{:.2%} [{:.2%} {:.2%}]"
    return form.format(told["value"], told["low"], told["high"])


def _latency(told: dict[str, Any]) -> Text:
    if told["seconds"] is None:
        return Text("-")
    low, high = (_milliseconds(told[name]) for name in ("low", "high"))
    return Text(f"{_milliseconds(told['seconds'])} [{low} {high}]")


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    number = seconds * 1000
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"
