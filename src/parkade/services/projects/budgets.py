"""Keeps the budgets that projects set; a budget is its owner's, and named so."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast

from parkade.domain.budget import Budget, Per, WhenSpent
from parkade.domain.errors import InvalidInput, NotFound, Unreadable
from parkade.domain.price import CURRENCY, dollars
from parkade.domain.project.part import Kind
from parkade.services.projects.atonce import AtOnce
from parkade.services.projects.keeper import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.event import Json
    from parkade.domain.project.part import Part
    from parkade.domain.project.project import Project
    from parkade.services.budgets import Budgets
    from parkade.services.projects.keeper import Errand

_MEMBERS = frozenset({"usd", "per", "then", "zone"})


class BudgetKeeper(AtOnce):
    """The keeper of budgets."""

    kind = Kind.BUDGET

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets

    def check(self, part: Part, project: Project) -> None:  # noqa: ARG002  the protocol's
        """Raise InvalidInput for an amount, a period or a time zone that there is not."""
        budget_of(part)

    def found(self, name: str) -> Mapping[str, Json] | None:
        """Return the owner's own budget; that which the settings give everybody is none."""
        budget = self._own(name)
        return _content(budget) if budget is not None else None

    def settled(self, part: Part, found: Mapping[str, Json] | None) -> Mapping[str, Json]:  # noqa: ARG002  the protocol's
        """Return it with what the API has for what is left out."""
        return _content(budget_of(part))

    def put(self, part: Part, errand: Errand) -> None:
        """Set the owner's budget, which counts at once."""
        budget = budget_of(part)
        there = self._own(part.name)
        if there is None or _content(there) != _content(budget):
            self._budgets.put(budget, actor=errand.actor)

    def remove(self, name: str, errand: Errand) -> None:
        """Remove the owner's budget; what the settings say holds again."""
        try:
            self._budgets.remove(name, actor=errand.actor)
        except NotFound:
            return  # it is not there, as was asked

    def condition(self, part: Part) -> Condition:
        """Tell what is left of it in this period."""
        budget = self._own(part.name)
        if budget is None:
            return Condition(state="missing", text="it is not there any more", troubled=True)
        standing = self._budgets.standing(budget)
        text = f"{dollars(standing.spent)} {CURRENCY} of {budget} spent"
        if standing.reserved:
            text += f", {dollars(standing.reserved)} reserved"
        if standing.used_up:
            return Condition(state="used up", text=text, troubled=True)
        return Condition(state="there", text=f"{text}, {dollars(standing.left)} left")

    def _own(self, owner: str) -> Budget | None:
        listing = self._budgets.all()
        if owner in listing.unreadable:
            # Making it anew would mend it, and lose what was set: people decide.
            raise Unreadable(f"the budget of {owner!r} cannot be read: {listing.unreadable[owner]}")
        return next((each for each in listing.records if each.owner == owner), None)


def budget_of(part: Part) -> Budget:
    """Return the budget that a part describes. Raises InvalidInput for what is none."""
    owner, given = part.name, cast("Mapping[str, Any]", part.content)
    if unknown := sorted(given.keys() - _MEMBERS):
        raise InvalidInput(f"a budget has no {unknown[0][:80]!r}", field=unknown[0][:80])
    try:
        usd = Decimal(str(given["usd"]))
    except (KeyError, InvalidOperation) as error:
        raise InvalidInput(
            f"the budget of {owner!r} has no amount that can be read",
            field="usd",
            hint="give US dollars such as 50 or 12.50",
        ) from error
    return Budget(
        owner=owner,
        usd=usd,
        per=_one_of(Per, given.get("per", Per.WEEK), "per"),
        then=_one_of(WhenSpent, given.get("then", WhenSpent.REFUSE), "then"),
        zone=given.get("zone", "UTC"),
    )


def _one_of(kind: Any, given: object, field: str) -> Any:
    try:
        return kind(given)
    except ValueError as error:
        raise InvalidInput(
            f"{field} {str(given)[:80]!r} is not one of {', '.join(kind)}", field=field
        ) from error


def _content(budget: Budget) -> dict[str, Json]:
    return {
        # Without an exponent, and the same for 50 and 50.00.
        "usd": f"{budget.usd.normalize():f}",
        "per": budget.per.value,
        "then": budget.then.value,
        "zone": budget.zone,
    }
