"""What a simulation replays: synthetic teams, a file, or what the server has recorded."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from parkade.apps import settings
from parkade.apps.cli.client import Refused, Unreachable
from parkade.apps.cli.session import connect
from parkade.domain import synthetic
from parkade.domain.errors import InvalidInput, Unreadable
from parkade.domain.event import written
from parkade.domain.price import Machine, Sum
from parkade.domain.series import SAGEMAKER
from parkade.domain.simulation import files
from parkade.domain.simulation.comparison import Subject
from parkade.domain.simulation.traffic import Burst, Period, Traffic, spread
from parkade.domain.spans import duration, read_span
from parkade.services.prices import Prices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from parkade.apps.cli.client import Client

#: What counts invocations: in order, and asynchronous ones as they are done.
_MEASURES = ("Invocations", "InvocationsProcesssed")
#: What shows the trade-off to somebody who has recorded nothing.
_SYNTHETIC = "parkade simulate --teams 5"
#: So much is asked for in one request: less than a server answers at once, for many variants.
_AT_A_TIME = timedelta(days=3)
#: What endpoints run on whose config nobody knows.
USUAL_TYPE = "ml.g5.xlarge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is replayed."""

    subjects: tuple[Subject, ...]
    period: Period

    def only(self, names: Sequence[str]) -> Source:
        """Return these endpoints only; all, where none is named. Raises InvalidInput."""
        known = {each.endpoint_name for each in self.subjects}
        missing = [name for name in names if name not in known]
        if missing:
            raise InvalidInput(
                f"there are no invocations of an endpoint {missing[0]!r}",
                field="endpoint",
                hint="there are some of " + ", ".join(sorted(known)),
            )
        chosen = tuple(each for each in self.subjects if not names or each.endpoint_name in names)
        return Source(subjects=chosen, period=self.period)


@dataclass(frozen=True, slots=True)
class Rates:
    """What an hour of an endpoint costs."""

    prices: Prices
    given: str | None
    instances: int | None

    @classmethod
    def here(cls, instance_type: str | None, instances: int | None) -> Rates:
        """Take the price lists of this machine's state folder; the packaged one is always there."""
        # The forms of lists take a while to make; other commands need not wait for them.
        from parkade.adapters.folder.prices import FolderPriceLists  # noqa: PLC0415

        server = settings.server_settings()
        read = server.read()
        prices = Prices(
            FolderPriceLists(server.paths.prices),
            region=lambda: read.region,
            own=read.money.own_prices,
        )
        return cls(prices, instance_type, instances)

    def hourly(self, own: Sequence[Machine] | None = None) -> Sum:
        """Return the price of the type that was given, else of the endpoint's own machines."""
        usual = Machine(
            variant_name="", instance_type=self.given or USUAL_TYPE, count=self.instances or 1
        )
        return self.prices.hourly([usual] if self.given or own is None else own)


def of_teams(teams: int, days: int, seed: int, rates: Rates) -> Source:
    """Return what synthetic teams do."""
    hourly = rates.hourly()
    subjects = tuple(
        Subject(
            endpoint_name=each.endpoint_name,
            traffic=each.traffic,
            hourly=hourly,
            words=each.words,
        )
        for each in synthetic.teams(teams, days=days, seed=seed)
    )
    return Source(subjects=subjects, period=synthetic.period(days))


def of_file(file: Path, rates: Rates) -> Source:
    """Return what a file tells; `-` is standard input. Raises InvalidInput."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read: {error.strerror}", field="file", hint="check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{file} is not UTF-8 text", field="file", hint="give CSV or JSON lines"
        ) from error
    traffic = files.read(text.splitlines(), name=str(file))
    return _of(traffic, spread(traffic), dict.fromkeys(traffic, rates.hourly()))


def _of(traffic: Mapping[str, Traffic], period: Period | None, hourly: Mapping[str, Sum]) -> Source:
    if period is None:
        raise InvalidInput("there are no invocations", field="file", hint="see docs/simulate.md")
    subjects = tuple(
        Subject(endpoint_name=name, traffic=each, hourly=hourly[name])
        for name, each in traffic.items()
    )
    return Source(subjects=subjects, period=period)


def of_server(since: str, rates: Rates, wanted: Sequence[str] = ()) -> Source:
    """Return what the server has recorded in the span before now, of these endpoints if any are named.

    Raises InvalidInput where there is nothing.
    """
    if rates.instances is not None and rates.given is None:
        raise InvalidInput(
            "--instances goes with --type: recorded endpoints are priced by their own configs",
            field="instances",
            hint="name the type that all are to have, or leave --instances out",
        )
    span = read_span(since, field="since")
    with connect() as client:
        try:
            now = client.get("plan")["now"]
        except Unreachable as error:
            raise Unreachable(
                error.message, hint=f"{error.hint}; without one: {_SYNTHETIC}"
            ) from error
        end = _instant(now).replace(second=0, microsecond=0)
        period = Period(start=end - span, end=end)
        names = {each["name"] for each in client.pages("endpoints")} | _measured(client, period)
        recorded = {
            name: traffic
            for name in sorted(names & set(wanted) if wanted else names)
            if (traffic := _recording(client, name, period)).requests
        }
        hourly = {name: rates.hourly(_machines(client, name)) for name in recorded}
    if not recorded:
        of = f" of {', '.join(wanted)}" if wanted else ""
        raise InvalidInput(
            f"the server has recorded no invocation{of} in {duration(span)}",
            field="since",
            hint=f"see the trade-off with synthetic teams: {_SYNTHETIC}",
        )
    return _of(recorded, _since_first(recorded, period), hourly)


def _since_first(recorded: Mapping[str, Traffic], period: Period) -> Period:
    """Return the period from the hour of its first request: what was before nobody recorded."""
    first = min(each.bursts[0].at for each in recorded.values())
    return Period(start=max(period.start, first.replace(minute=0)), end=period.end)


def _measured(client: Client, period: Period) -> set[str]:
    """Return the names of endpoints that were invoked, those that are gone among them."""
    series = client.get("metrics", "series", namespace=SAGEMAKER, since=written(period.start))[
        "series"
    ]
    found = (each["dimensions"].get("EndpointName") for each in series)
    return {name for name in found if name}


def _recording(client: Client, name: str, period: Period) -> Traffic:
    """Return the requests to all variants and components of an endpoint, by the minute."""
    requests: Counter[str] = Counter()
    for measure in _MEASURES:
        start = period.start
        while start < period.end:
            end = min(start + _AT_A_TIME, period.end)
            requests.update(_counts(client, name, measure, Period(start=start, end=end)))
            start = end
    return Traffic(Burst(at=_instant(at), count=count) for at, count in requests.items() if count)


def _counts(client: Client, name: str, measure: str, period: Period) -> Counter[str]:
    told = client.get(
        "metrics",
        endpoint=name,
        namespace=SAGEMAKER,
        name=measure,
        statistic="Sum",
        start=written(period.start),
        end=written(period.end),
    )
    requests: Counter[str] = Counter()
    for each in told["measured"]:
        if each["unreadable"]:
            raise Unreadable(
                f"what was recorded of {name!r} cannot be read: {each['unreadable']}",
                hint="leave it out: name all others with --endpoint NAME",
            )
        for point in each["points"]:
            requests[point["at"]] += round(point["values"]["Sum"])
    return requests


def _machines(client: Client, name: str) -> list[Machine] | None:
    """Return what the endpoint runs on; None: it, or its config, is gone."""
    try:
        config = client.get("configs", client.get("endpoints", name)["config_name"])
    except Refused as refusal:
        if refusal.status != HTTPStatus.NOT_FOUND:
            raise
        return None
    return [
        Machine(
            variant_name=each["name"],
            instance_type=each["instance_type"],
            count=each["instance_count"],
        )
        for each in config["variants"]
    ]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
