"""What a simulation replays: synthetic teams, a file, or what the server has recorded."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from parkade.adapters.folder.prices import FolderPriceLists
from parkade.apps import settings
from parkade.apps.cli.session import connect
from parkade.domain import synthetic
from parkade.domain.errors import InvalidInput
from parkade.domain.price import Machine, Sum
from parkade.domain.simulation import files
from parkade.domain.simulation.comparison import Subject
from parkade.domain.simulation.traffic import Burst, Period, Traffic, spread
from parkade.domain.spans import duration, read_span
from parkade.services.prices import Prices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from parkade.apps.cli.client import Client

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
    instances: int

    @classmethod
    def here(cls, instance_type: str | None, instances: int) -> Rates:
        """Take the price lists of this machine's state folder; the packaged one is always there."""
        server = settings.server_settings()
        read = server.read()
        prices = Prices(
            FolderPriceLists(server.paths.prices),
            region=lambda: read.region,
            own=lambda: {name: Decimal(str(usd)) for name, usd in read.money.prices.items()},
        )
        return cls(prices, instance_type, instances)

    def hourly(self, own: Sum | None = None) -> Sum:
        """Return the price of the type that was given, else the endpoint's own."""
        if self.given is None and own is not None:
            return own
        machine = Machine(
            variant_name="", instance_type=self.given or USUAL_TYPE, count=self.instances
        )
        return self.prices.hourly([machine])


def of_teams(teams: int, days: int, seed: int, prices: Rates) -> Source:
    """Return what synthetic teams do."""
    hourly = prices.hourly()
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


def of_file(file: Path, prices: Rates) -> Source:
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
    return _of(traffic, spread(traffic), dict.fromkeys(traffic, prices.hourly()))


def _of(traffic: Mapping[str, Traffic], period: Period | None, hourly: Mapping[str, Sum]) -> Source:
    if period is None:
        raise InvalidInput("there are no invocations", field="file", hint="see docs/simulate.md")
    subjects = tuple(
        Subject(endpoint_name=name, traffic=each, hourly=hourly[name])
        for name, each in traffic.items()
    )
    return Source(subjects=subjects, period=period)


def of_server(since: str, prices: Rates) -> Source:
    """Return what the server has recorded in the span before now. Raises InvalidInput."""
    span = read_span(since, field="since")
    with connect() as client:
        known = client.get("invocations", since_seconds=span.total_seconds())
        if not known["endpoints"]:
            raise InvalidInput(
                f"the server has recorded no invocation in {duration(span)}",
                field="since",
                hint="see the trade-off with synthetic teams: parkade simulate --teams 5",
            )
        read = [_recording(client, name, known) for name in known["endpoints"]]
    traffic = {name: each for name, each, _ in read}
    hourly = {name: prices.hourly(own) for name, _, own in read}
    period = Period(start=_instant(known["start"]), end=_instant(known["end"]))
    return _of(traffic, period, hourly)


def _recording(
    client: Client, name: str, known: Mapping[str, Any]
) -> tuple[str, Traffic, Sum | None]:
    told = client.get("invocations", name, start=known["start"], end=known["end"])
    traffic = Traffic(
        Burst(at=datetime.fromtimestamp(minute * 60, UTC), count=count)
        for minute, count in told["minutes"]
    )
    if told["hourly_usd"] is None and not told["unpriced"]:
        return name, traffic, None  # its config is gone
    own = Sum(usd=Decimal(told["hourly_usd"] or "0"), unpriced=frozenset(told["unpriced"]))
    return name, traffic, own


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
