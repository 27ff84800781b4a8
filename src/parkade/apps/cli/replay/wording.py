"""A replay's report in words, which the page and the terminal have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.cli.replay import report
from parkade.apps.cli.replay.report import BY_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COUNTS = {
    "files": "capture files read",
    "other_files": "other files, left alone",
    "files_outside": "files of another time, not opened",
    "lines": "lines",
    "replayed": "replayed",
    "outside": "lines of another time",
    "own": "lines of requests of Parkade's own, made to compare or to test",
    "repeated": "lines with an event id that came before",
    "without_input": "lines without an input",
    "unreadable": "lines that cannot be read",
}
#: Those that are told even where there are none.
_ALWAYS = frozenset({"files", "lines", "replayed"})


def about(document: Mapping[str, Any]) -> str:
    """Say what was replayed, and how."""
    sending = document["sending"]
    rate = sending["rate"]
    told = f"{sending['sent']:,} requests from {document['from']}"
    told += f" in {sending['seconds']:.1f} s"
    told += f", {rate:.1f} a second" if rate else ""
    return f"{told}; compared with {report.name_of(document['compared_with'])}, {_rules(document['rules'])}"


def warnings(document: Mapping[str, Any]) -> Iterator[str]:
    """Say what has to be known before the numbers are believed."""
    if document["stopped"]:
        yield f"It ended before its time: {document['stopped']}. This is what came of it until then."
    sending, read = document["sending"], document["read"]
    if sending["held_back"]:
        yield (
            f"{_counted(sending['held_back'], 'request')} sent late, up to {sending['most_seconds_late']:.1f} s: "
            f"all {sending['concurrency']} places were taken, or they could not be read as fast"
        )
    if read["unreadable"]:
        first = read["unreadable_named"][0]
        yield f"{_counted(read['unreadable'], 'line')} not readable; the first: {first['place']}: {first['why']}"
    if read["repeated"]:
        yield (
            f"{_counted(read['repeated'], 'line')} with an event id that came before: a shadow variant's are "
            "there, too; name the folder of one variant, PREFIX/ENDPOINT/VARIANT"
        )
    for path, count in document["missing_fields"].items():
        yield f"{path} is in neither answer of {_counted(count, 'pair')}"
    for name, side in sides(document):
        for trouble, count in list(side["troubles"].items())[:3]:
            yield f"{_counted(count, 'request')} to {name} without an answer: {trouble}"


def agreement(told: Mapping[str, Any]) -> str:
    """Say how many answers agree, and how sure that is."""
    if not told["compared"]:
        return "nothing could be compared: no answer was captured with these requests"
    return (
        f"{percent(told['share'])} agree ({within(told)}): "
        f"{told['agree']:,} agree, {told['differ']:,} differ, {told['failed']:,} failed"
    )


def within(told: Mapping[str, Any]) -> str:
    """Say the interval of a share."""
    return (
        f"{percent(told['low'])} to {percent(told['high'])} at {told['confidence']:.0%} confidence, "
        f"of {told['compared']:,}"
    )


def counts(document: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Give what was read, and what became of it."""
    read = document["read"]
    for name, words in _COUNTS.items():
        if read[name] or name in _ALWAYS:
            yield words, read[name]


def sides(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give what was asked, with its name."""
    yield report.name_of(document["to"]), document["candidate"]
    if document["baseline"] is not None:
        yield f"{report.name_of(document['compared_with'])}", document["baseline"]


def statuses(side: Mapping[str, Any]) -> str:
    """Say how often each status was answered."""
    return ", ".join(f"{count:,} x {status}" for status, count in side["statuses"].items()) or "-"


def milliseconds(side: Mapping[str, Any], name: str) -> str:
    """Say a quantile of the times of good answers."""
    latency = side["latency_seconds"]
    return f"{latency[name] * 1000:.1f} ms" if latency else "-"


def example(told: Mapping[str, Any]) -> str:
    """Say in a line what is wrong with an example."""
    if told["verdict"] == "failed":
        return str(told["trouble"] or f"status {told['status']}")
    if not told["differences"]:
        return f"{told['missing_fields'][0]} is in neither answer"
    first, more = told["differences"][0], len(told["differences"]) - 1 + told["more_differences"]
    what = f"{first['path']}: {first['before'] or '(absent)'} -> {first['after'] or '(absent)'}"
    return f"{what}, and {more:,} more" if more else what


def percent(share: float) -> str:
    """Write a share; one that is nearly all is not written as all."""
    text = f"{share:.1%}"
    if (share < 1 and text == "100.0%") or (share > 0 and text == "0.0%"):
        return (
            f"{100 * share:.3g}%" if share < 0.5 else f"{100 - max(100 - 100 * share, 0.001):.3f}%"
        )
    return text


def number(value: float | None) -> str:
    """Write a measured number in as many digits as it is worth."""
    return "-" if value is None else f"{value:.3g}"


def _rules(rules: Mapping[str, Any]) -> str:
    told = [f"read {'' if rules['compare'] == BY_TYPE else 'as '}{rules['compare']}"]
    told += [f"only {', '.join(rules['fields'])}"] if rules["fields"] else []
    told += [f"without {', '.join(rules['ignored'])}"] if rules["ignored"] else []
    tolerance = rules["tolerance"]
    bounds = [f"{tolerance['absolute']:g}"] if tolerance["absolute"] else []
    bounds += [f"{100 * tolerance['relative']:g} %"] if tolerance["relative"] else []
    told += [f"numbers within {' or '.join(bounds)}"] if bounds else []
    return ", ".join(told)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
