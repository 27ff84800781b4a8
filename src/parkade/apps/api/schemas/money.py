"""The forms of money: prices, quotes, costs, budgets. Amounts are texts, so that none is rounded."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.domain.price import PriceList, rounded
from parkade.services.costs import By

if TYPE_CHECKING:
    from parkade.domain.budget import Budget, Standing
    from parkade.domain.cost import Costs
    from parkade.domain.price import Price, Sum
    from parkade.ports.catalog import Listing
    from parkade.services.costs import Bill, Line
    from parkade.services.prices import Tariff
    from parkade.services.quotes import Quote

_HOUR = 3600.0


def usd(amount: Decimal) -> str:
    """Write an amount: with cents, and up to a millionth of a dollar where it has more."""
    text = f"{rounded(amount):f}"
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')}"


class SumView(View):
    """An amount, and what is not in it."""

    usd: str = Field(examples=["21.27"])
    unpriced: list[str] = Field(
        description="Instance types, or `serverless`, that have no price: they are not in the sum, "
        "and not free."
    )

    @classmethod
    def of(cls, amount: "Sum") -> "SumView":
        """Write a sum."""
        return cls(usd=usd(amount.usd), unpriced=sorted(amount.unpriced))


class PriceView(View):
    """What an instance costs an hour."""

    instance_type: str = Field(examples=["ml.g5.12xlarge"])
    usd_per_hour: str | None = Field(description="null: unpriced.", examples=["7.09"])
    source: str | None = Field(description="settings, aws or packaged.")
    dated: date | None = Field(description="Of its list; null: a setting.")
    confirmed: bool = Field(description="Whether more than one source told it, or AWS itself.")
    reason: str = Field(description="Why it is unpriced; else empty.")

    @classmethod
    def of(cls, price: "Price") -> "PriceView":
        """Write a price."""
        return cls(
            instance_type=price.instance_type,
            usd_per_hour=usd(price.hourly),
            source=price.source,
            dated=price.dated,
            confirmed=price.confirmed,
            reason="",
        )

    @classmethod
    def unpriced(cls, instance_type: str, reason: str) -> "PriceView":
        """Write what has no price."""
        return cls(
            instance_type=instance_type,
            usd_per_hour=None,
            source=None,
            dated=None,
            confirmed=False,
            reason=reason,
        )


class PriceListView(View):
    """The prices that are in force."""

    region: str
    origin: str = Field(description="Where the newest list is from.")
    problem: str = Field(description="Why the list that was fetched is passed over; else empty.")
    prices: list[PriceView]

    @classmethod
    def of(cls, tariff: "Tariff", prices: list[PriceView]) -> "PriceListView":
        """Write a tariff."""
        return cls(
            region=tariff.region, origin=tariff.origin, problem=tariff.problem, prices=prices
        )


Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class PriceListForm(Form):
    """A list that was fetched."""

    dated: date
    origin: str = Field(min_length=1, max_length=500)
    prices: dict[Annotated[str, Field(pattern=r"^ml\.[a-z0-9.-]+$", max_length=63)], Amount] = (
        Field(min_length=1, description="USD an hour by instance type.")
    )

    def of(self, region: str) -> PriceList:
        """Return it as the list of a region."""
        return PriceList(
            region=region,
            dated=self.dated,
            origin=self.origin,
            quoted=dict(self.prices),
            unconfirmed={},
        )


class StandingView(View):
    """How a budget stands in one period."""

    owner: str = Field(examples=["ann"])
    usd: str = Field(description="The limit.", examples=["50.00"])
    per: Literal["day", "week", "month"]
    then: Literal["warn", "refuse", "stop"]
    zone: str
    start: datetime
    end: datetime
    spent: str
    reserved: str = Field(description="The price of what leases and bookings have left in it.")
    left: str = Field(description="Negative where it is passed.")
    unpriced: list[str] = Field(description="What was used, or is paid, without a price.")

    @classmethod
    def of(cls, standing: "Standing") -> "StandingView":
        """Write a standing."""
        budget: Budget = standing.budget
        return cls(
            owner=budget.owner,
            usd=usd(budget.usd),
            per=budget.per.value,
            then=budget.then.value,
            zone=budget.zone,
            start=standing.period.start,
            end=standing.period.end,
            spent=usd(standing.spent),
            reserved=usd(standing.reserved),
            left=usd(standing.left),
            unpriced=sorted(standing.unpriced),
        )


class BudgetListView(View):
    """Every budget, as it stands now."""

    budgets: list[StandingView]
    unreadable: dict[str, str] = Field(
        description="Owners whose budget is damaged, with the reason; they get no new time."
    )

    @classmethod
    def of(cls, standings: "list[Standing]", listing: "Listing[Budget]") -> "BudgetListView":
        """Write them."""
        return cls(
            budgets=[StandingView.of(each) for each in standings],
            unreadable=dict(listing.unreadable),
        )


class BudgetForm(Form):
    """A budget."""

    usd: Amount = Field(description="US dollars in each period.", examples=[50])
    per: Literal["day", "week", "month"] = Field("week", description="Weeks begin on Monday.")
    then: Literal["warn", "refuse", "stop"] = Field(
        "refuse",
        description="When it is used up: `warn` tells the owner once; `refuse` grants no new time; "
        "`stop` also ends their leases.",
    )
    zone: str = Field("UTC", description="Where its days begin.", examples=["Europe/Berlin"])


class QuoteView(View):
    """What time costs, and what it leaves."""

    endpoint_name: str
    owner: str
    minutes: float
    runs_on: str = Field(examples=["2 x ml.g5.12xlarge"])
    hourly: SumView
    cost: SumView
    budget: StandingView | None = Field(
        description="How the owner's budget stands with it paid; null: there is none."
    )
    text: str = Field(
        examples=["90 more minutes of 2 x ml.g5.12xlarge: 21.27 USD, 4.20 left this week"]
    )

    @classmethod
    def of(cls, quote: "Quote") -> "QuoteView":
        """Write a quote."""
        return cls(
            endpoint_name=quote.endpoint_name,
            owner=quote.owner,
            minutes=quote.amount.total_seconds() / 60,
            runs_on=quote.noun,
            hourly=SumView.of(quote.hourly),
            cost=SumView.of(quote.cost),
            budget=StandingView.of(quote.standing) if quote.standing else None,
            text=quote.text,
        )


class CostsView(View):
    """What something cost."""

    instance_hours: float
    cost: SumView
    used: SumView = Field(description="Of seconds in which a request was under way, or ended.")
    idle: SumView = Field(description="Of all others.")
    always_on: SumView = Field(
        description="What the same instances would have cost from the first sight of the endpoint, "
        "or from `since`, to now without a break."
    )
    saved: str = Field(description="always_on less cost.")

    @classmethod
    def of(cls, costs: "Costs") -> "CostsView":
        """Write costs."""
        return cls(**_fields(costs))


class LineView(CostsView):
    """What an endpoint, an owner or a day cost; what the line is not about is null."""

    endpoint_name: str | None
    owner: str | None = Field(description="Whose lease it was; empty: there was none.")
    day: date | None = Field(description="Of UTC.")
    instance_types: list[str]

    @classmethod
    def line(cls, line: "Line", by: By) -> "LineView":
        """Write a line."""
        return cls(
            endpoint_name=line.endpoint_name if by is By.ENDPOINT else None,
            owner=None if by is By.DAY else line.owner,
            day=line.day.date() if line.day else None,
            instance_types=list(line.instance_types),
            **_fields(line.costs),
        )


class BillView(View):
    """Costs since an hour."""

    since: datetime = Field(description="The beginning of the first hour that is counted.")
    until: datetime
    by: By
    lines: list[LineView]
    total: CostsView
    problem: str = Field(
        description="Why the last seconds are not in it: they cannot be stored; else empty."
    )

    @classmethod
    def of(cls, bill: "Bill", by: By, problem: str) -> "BillView":
        """Write a bill."""
        return cls(
            since=bill.since,
            until=bill.until,
            by=by,
            lines=[LineView.line(each, by) for each in bill.lines],
            total=CostsView.of(bill.total),
            problem=problem,
        )


def _fields(costs: "Costs") -> dict[str, Any]:
    return {
        "instance_hours": round(costs.instances.total_seconds() / _HOUR, 6),
        "cost": SumView.of(costs.cost),
        "used": SumView.of(costs.used),
        "idle": SumView.of(costs.idle),
        "always_on": SumView.of(costs.always_on),
        "saved": usd(costs.saved),
    }
