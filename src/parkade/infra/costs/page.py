"""The manual's page of costs: what was counted, times unit prices, and how each number follows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from parkade.adapters.folder.prices import packaged as instance_prices
from parkade.infra.costs import measured, rest, running
from parkade.infra.costs.lines import HOURS, MINUTES, total

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from parkade.infra.costs.lines import Line
    from parkade.infra.costs.prices import UnitPrices
    from parkade.infra.costs.rest import Rest

_CENT = Decimal("0.01")
_RIGHT = "--:"


def at_rest(stacks: Mapping[str, Mapping[str, Any]], prices: UnitPrices) -> Iterator[str]:
    """Give the lines of a table: what stacks cost a month at rest, by their names and templates."""
    told = {name: rest.of(template) for name, template in stacks.items()}
    yield from _head("stack", ("USD a month", _RIGHT), "what of it is counted")
    for name, each in told.items():
        yield _row(f"`{name}`", _usd(total(each.lines, prices)), _counted(each, prices))
    whole = [line for each in told.values() for line in each.lines]
    yield _row("together", _usd(total(whole, prices)), "")
    instances = [text for each in told.values() for text in _instances(each, prices.region)]
    if instances:
        yield ""
        yield (
            "Beside that, instances of endpoints that have no lease: " + "; ".join(instances) + "."
        )


def bill(lines: Sequence[Line], prices: UnitPrices) -> Iterator[str]:
    """Give the lines of a table: so many of what has a price, and what they cost together."""
    yield from _head("what", ("how many", _RIGHT), "of", ("USD", _RIGHT))
    for each in lines:
        unit = prices[each.price].unit
        yield _row(each.what, _number(each.count), unit, _usd(each.cost(prices)))
    yield _row("together", "", "", _usd(total(lines, prices)))


def table(prices: UnitPrices) -> Iterator[str]:
    """Give the lines of the table of unit prices."""
    yield from _head(
        "name", ("USD", _RIGHT), ("for", _RIGHT), "of", "AWS's page", "looked up there"
    )
    for each in prices.every:
        looked = "yes" if each.confirmed else "no"
        unit = f"{each.unit}, a month" if each.monthly else each.unit
        yield _row(f"`{each.name}`", f"{each.usd:f}", f"{each.per:,}", unit, each.source, looked)


def whole(
    sample: Mapping[str, Mapping[str, Any]],
    minimal: Mapping[str, Mapping[str, Any]],
    prices: UnitPrices,
) -> str:
    """Return docs/aws-costs.md, from the templates of two projects."""
    month, ten = running.month(measured.NONE), running.month(measured.TEN)
    hours = running.endpoint_hours()
    least = total((line for each in minimal.values() for line in rest.of(each).lines), prices)
    summary = {
        "a month of the least there is (Meter, API, deployer, maintainer), at rest": least,
        "a month of the sweep of each minute, with no endpoint": total(month, prices),
        "both together": least + total(month, prices),
        "the same with 10 endpoints that run all month, each on one lease": least
        + total(ten, prices),
        f"1,000 endpoint-hours, in leases of {running.LEASE_HOURS:g} hours": total(hours, prices),
    }
    return "\n".join(
        [
            _HEAD.format(dated=prices.dated, region=prices.region, origin=prices.origin),
            *_head("what", ("USD", _RIGHT)),
            *(_row(what, _usd(amount)) for what, amount in summary.items()),
            _REST.format(stored=rest.STORED),
            *at_rest(minimal, prices),
            _SAMPLE,
            *at_rest(sample, prices),
            _SWEEP.format(**_figures()),
            *bill(month, prices),
            _TEN,
            *bill(ten, prices),
            _ENDPOINTS.format(**_figures()),
            *bill(hours, prices),
            _LEFT_OUT,
            *table(prices),
            _VERIFIED,
        ]
    )


def _figures() -> dict[str, str]:
    none, ten, life = measured.NONE, measured.TEN, measured.LIFE
    return {
        "minutes": f"{MINUTES:,}",
        "hours": f"{HOURS}",
        "none": _asked(none),
        "ten": _asked(ten),
        "none_seconds": f"{running.seconds(none):.2f}",
        "ten_seconds": f"{running.seconds(ten):.2f}",
        "trip": f"{running.ROUND_TRIP * 1000:.0f}",
        "figures": f"{measured.FIGURES}",
        "line": f"{measured.LINE}",
        "platform": f"{running.PLATFORM_LINES}",
        "reads": f"{life.reads:g}",
        "writes": f"{life.writes:g}",
        "events": f"{life.events:g}",
        "states": f"{running.transitions()}",
        "lease_hours": f"{running.LEASE_HOURS:g}",
    }


def _asked(minute: measured.Minute) -> str:
    return (
        f"{minute.requests:g} requests, {minute.reads:g} read units, {minute.writes:g} write units, "
        f"{minute.series:g} series, {minute.processor:g} processor seconds"
    )


def _counted(told: Rest, prices: UnitPrices) -> str:
    parts = [f"{prices[each.price].unit}: {_number(each.count)}" for each in told.lines]
    parts += [f"not known: `{each}`" for each in told.unknown]
    return "; ".join(parts) or "nothing"


def _instances(told: Rest, region: str) -> Iterator[str]:
    prices = instance_prices(region)
    hourly = {**prices.quoted, **prices.unconfirmed} if prices else {}
    for kind, count in told.instances.items():
        price = hourly.get(kind)
        cost = "unpriced" if price is None else f"{_usd(price * count * HOURS)} USD a month"
        yield f"{count} x `{kind}`, {cost}"


def _head(*columns: str | tuple[str, str]) -> Iterator[str]:
    told = [each if isinstance(each, tuple) else (each, "---") for each in columns]
    yield _row(*(name for name, _ in told))
    yield _row(*(mark for _, mark in told))


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _usd(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT):,}" if amount == 0 or amount >= _CENT else "< 0.01"


def _number(count: Decimal) -> str:
    if count == count.to_integral_value():
        return f"{int(count):,}"
    return f"{count:,.0f}" if count >= 100 else f"{count.normalize():.3g}"


_HEAD = """# On AWS: what it costs

<!-- Made by `make docs` from src/parkade/infra/costs/ and the synthesized templates; change it there. -->

What Parkade itself costs, beside the endpoints' instances: what its stacks cost by being there, what the sweep asks of
AWS each minute, and what each hour of an endpoint adds. Instances are another page: [money.md](money.md).

**Counted, not billed.** Resources are counted in the synthesized templates, and requests in tests. Nothing was ever deployed, and
no bill was seen. Prices are of {region}, as of {dated}: {origin}. [The table](#unit-prices) says so of
each, and can be replaced.
"""
_REST = """
These are list prices. Free tiers, which cover a part of it in many accounts, are not taken off. Most of the sum with endpoints is
CloudWatch: reading measurements to know who is idle.

## At rest

By `parkade.infra.costs.rest`: what of a template costs something by being there, times its price. Every type of
resource is counted, or is on a list of those that cost nothing by being there; a test fails for a type that is on neither.
A table is assumed to hold {stored} GB; buckets, logs and images cost by what is in them, and are assumed to be empty.
A snapshot is that of the management API, which SnapStart keeps all the time; AWS bills it by the memory of the function.

The least that a file can say, `project: NAME`:
"""
_SAMPLE = """
A project with something for every stack (`tests/infra/whole/parkade.yaml`: five endpoints, six routes, an alarm, a dashboard, a
tester of five clients, a pipeline, a budget):
"""
_SWEEP = """
Dashboards count from the first one, though the first three of an account are free. Where Application Auto Scaling follows a target,
it makes two alarms, which count.

## By itself

A rule calls the sweep each minute: {minutes} times in a month of {hours} hours. Measured here, in
`tests/apps/lambdas/test_sweep_calls.py`, for a warm function in a minute in which nothing happens:

* no endpoint: {none};
* 10 endpoints of one variant, each on a lease: {ten}.

Units are computed by DynamoDB's rules from the sizes of the items. A call is billed for as long as it lasts, which only AWS can
tell: {none_seconds} s and {ten_seconds} s are assumed, from the measured processor time at the share of a processor that 1 GB of memory has,
and {trip} ms a request. ListEndpoints, descriptions, tags and the table's stream cost nothing. A call writes a line of {line}
bytes, measured; another {platform} of Lambda's own are assumed. Its {figures} figures are metrics of one's own. All calls are traced: X-Ray's
sampling keeps one a second. The rule's calls count as events, which AWS may not bill for schedules.

With no endpoint, a month:
"""
_TEN = """
With 10 endpoints that run all month:
"""
_ENDPOINTS = """
## By 1,000 endpoint-hours

What the 10 endpoints add to a sweep, divided by 10, times 60,000 minutes; and the leases, of {lease_hours} hours each. From its
purchase to its end a lease was measured (the same test) to ask {reads} read units and {writes} write units beside what the
sweeps ask in any case, and to write {events} events, each of which calls the notices' function and goes to the bus. Its timer
goes through {states} states (`meter-timer.asl.json`). The functions are assumed to start cold each time: processor time by
`bench/coldstart.py` ([measured](design/lambdas.md#cold-starts)), at the share that 0.5 GB has.
"""
_LEFT_OUT = """
Each variant more of an endpoint adds as many series. One that the maintainer watches has an alarm for each variant and a
composite one beside, while it runs. A short lease costs as much as a long one, but for the sweeps.

**Not in these figures**: instances; calls of the API and of routes (API Gateway's requests, a function's time, log lines); data
capture and archives; CodeBuild's minutes; what e-mails and webhooks cost; budgets beyond the free ones; transfer; tax.

## Your own stacks

```sh
parkade cloud synth --no-bundle --out cdk.out
python -m parkade.infra.costs cdk.out                        # the tables of this page for these stacks
python -m parkade.infra.costs cdk.out --prices prices.json   # at other prices
```

## Unit prices

A copy of `src/parkade/infra/costs/prices.json` with the prices of your region and contract is what `--prices` takes. "no" under
"looked up there": the figure is as remembered, and AWS's page has not been read for it.
"""
_VERIFIED = """
## What was verified, and how

| what | how |
| --- | --- |
| functions, state machines, REST API, custom resources | executed, from the synthesized templates, against stand-ins of AWS and the embedded SageMaker |
| stores on DynamoDB, the sweep, what it asks | executed, against moto |
| templates: types, properties, permissions | only checked: the CDK's validator, cfn-lint, cdk-nag; permissions also against the calls that were recorded |
| pipeline, budgets, dashboards, e-mail, SnapStart, X-Ray | only checked: nothing here runs them |
| prices, durations and bills on AWS | neither |

In full: [cloud.md](cloud.md#what-was-verified-and-how), and [how the application is executed](design/awsharness.md).
"""
