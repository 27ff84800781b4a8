"""The command replay: captured requests sent to a candidate, and the answers compared."""

import json
import math
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from parkade.adapters.system.clock import SystemClock
from parkade.apps.cli import aims, options, render
from parkade.apps.cli.aims import Aim
from parkade.apps.cli.client import Client
from parkade.apps.cli.replay import files, page, report, sending, views
from parkade.apps.cli.session import connect
from parkade.domain.capturedcalls import Window
from parkade.domain.comparing import fields as fields_module
from parkade.domain.comparing.answers import Rules
from parkade.domain.comparing.reading import Form
from parkade.domain.comparing.tolerance import Tolerance
from parkade.domain.errors import InvalidInput, ParkadeError
from parkade.domain.replaying.replies import Replayed, judge
from parkade.domain.replaying.tally import Tally
from parkade.domain.spans import read_span

#: What a shell says of a program that Ctrl-C ended.
_INTERRUPTED = 130


class Compare(StrEnum):
    """How answers are read."""

    EXACT = "exact"
    JSON = "json"
    CSV = "csv"
    TEXT = "text"


def replay(
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="s3://BUCKET/PREFIX|DIR",
            help="Where captured calls are; the folder of one variant: .../ENDPOINT/VARIANT.",
        ),
    ],
    target: Annotated[
        str,
        typer.Option("--to", metavar="ENDPOINT[/VARIANT]", help="What is asked; a component, too."),
    ],
    *,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="ENDPOINT/VARIANT",
            help="Compare with what this answers now, not with what was captured.",
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0, metavar="N", help="Requests a second; 0: as fast as may be.")
    ] = 10,
    concurrency: Annotated[
        int, typer.Option(min=1, max=100, metavar="N", help="Requests under way at most.")
    ] = 16,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="The first N only.")] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="T", help="Calls from then on: 2h, 1d or 2026-02-14T17:00:00Z."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="T", help="Calls before then.")] = None,
    compare: Annotated[
        Compare | None,
        typer.Option(
            help="How answers are read; else as their content types say.", show_default=False
        ),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Only this field: $.label; repeatable."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Without this field: $.results[*].at; repeatable."),
    ] = None,
    tolerance: Annotated[
        str, typer.Option(metavar="N", help="Numbers may differ by 0.01, by 1%, or by 0.01,1%.")
    ] = "0",
    target_model: Annotated[
        str, typer.Option(metavar="M", help="A model of a multi-model endpoint.")
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Write report.json and report.html there."
        ),
    ] = None,
    as_json: Annotated[bool, options.flag("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Send captured requests to an endpoint once more, and compare the answers.

    Nothing of it is captured again. Ctrl-C ends it with what there is so far.

    [dim]Example:[/dim] parkade replay --from s3://captured/text --to text/Model-B --rate 20 --tolerance 1%
    """
    rules = Rules(
        form=Form(compare) if compare else None,
        fields=fields_module.read_all(fields or [], field="fields"),
        ignored=fields_module.read_all(ignore or [], field="ignore"),
        tolerance=Tolerance.read(tolerance),
    )
    if not math.isfinite(rate):
        raise InvalidInput(f"--rate {rate} is no number", field="rate", hint="0: as fast as may be")
    began = SystemClock().now()
    window = Window(_instant(since, began, "since"), _instant(until, began, "until"))
    _require_folder(output)
    with connect() as client:
        order = report.Order(
            source=source,
            candidate=_aim(client, target, target_model, "to"),
            baseline=None if baseline is None else _aim(client, baseline, target_model, "baseline"),
            rules=rules,
            window=window,
            rate=rate,
            concurrency=concurrency,
            limit=limit,
        )
        document, error = _run(client, order, began)
    written = _write(output, document) if output is not None else []
    if as_json:
        render.machine(document)
    else:
        render.show(views.summary(document))
    for path in written:
        render.note(f"{path}: written")
    if isinstance(error, ParkadeError):
        raise error
    if error is not None:
        raise typer.Exit(_INTERRUPTED)
    _require_some(document)


def _run(
    client: Client, order: report.Order, began: datetime
) -> tuple[dict[str, Any], BaseException | None]:
    """Replay, and return the report with what ended it before its time, if anything did."""
    calls = files.Calls(files.found(client, order.source), order.window, order.limit)
    asker = sending.Asker(client, order.candidate, order.baseline)
    tally, timing = Tally(), sending.Timing()
    ended: BaseException | None = None
    title = f"Replaying to {order.candidate}"
    with render.working(title) as tell:

        def take(replayed: Replayed) -> None:
            tally.add(judge(replayed, order.rules))
            if render.draws_progress():
                tell(f"{title}: {tally.whole:,} answered")

        try:
            sending.send(
                calls, asker, take, rate=order.rate, concurrency=order.concurrency, timing=timing
            )
        except (KeyboardInterrupt, ParkadeError) as error:
            ended = error
    stopped = ""
    if ended is not None:
        stopped = ended.message if isinstance(ended, ParkadeError) else "it was interrupted"
    told = report.document(order, calls.counts, timing, tally, began=began, stopped=stopped)
    return told, ended


def _aim(client: Client, text: str, model: str, field: str) -> Aim:
    aim = aims.read(text, field=field)
    if aim.variant:
        return aims.all_of(client, aim.endpoint, [aim.variant], model=model)[0]
    # What is not there is told by name, before anything is sent.
    client.get("endpoints", aim.endpoint)
    return Aim(endpoint=aim.endpoint, model=model)


def _instant(text: str | None, now: datetime, field: str) -> datetime | None:
    """Read an instant, or a span before now. Raises InvalidInput."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now - read_span(text, field=field)
        except (InvalidInput, OverflowError) as error:
            raise InvalidInput(
                f"--{field} {text[:80]!r} is neither an instant nor a span",
                field=field,
                hint="write 2026-02-14T17:00:00Z, or how long ago: 90m, 2h, 1d",
            ) from error
    if at.tzinfo is None:
        raise InvalidInput(
            f"--{field} {text[:80]!r} has no time zone", field=field, hint="add a Z for UTC"
        )
    return at


def _require_folder(output: Path | None) -> None:
    """Raise InvalidInput, before anything is sent, where the report could not be written."""
    if output is None:
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"{output} cannot be made: {error.strerror}", field="output", hint="name a folder"
        ) from error


def _write(output: Path, document: dict[str, Any]) -> Sequence[Path]:
    texts = {
        output / "report.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        output / "report.html": page.page(document),
    }
    for path, text in texts.items():
        try:
            # Captured texts may hold halves of characters, which UTF-8 cannot.
            path.write_text(text, encoding="utf-8", errors="replace")
        except OSError as error:
            raise InvalidInput(
                f"{path} cannot be written: {error.strerror}", field="output"
            ) from error
    return list(texts)


def _require_some(document: dict[str, Any]) -> None:
    """Raise InvalidInput where there was nothing to replay."""
    if document["sending"]["sent"]:
        return
    read = document["read"]
    raise InvalidInput(
        f"there is nothing to replay in {document['from']}: {read['files']:,} capture files with "
        f"{read['lines']:,} lines",
        field="from",
        hint="calls are written a minute after they were made, below PREFIX/ENDPOINT/VARIANT; see "
        "docs/replay.md",
    )
