"""Budgets: `/v1/budgets`."""

from parkade.apps.api.auth import Admin, Operator
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.money import BudgetForm, BudgetListView, StandingView
from parkade.domain.budget import Budget, Per, WhenSpent
from parkade.domain.errors import NotFound

routes = router("Money", "/v1/budgets")


@routes.get("")
async def list_budgets(services: Both, _caller: Operator) -> BudgetListView:
    """List the budgets that were set, in the order of owners, as they stand now."""
    budgets = services.money.budgets
    listing = budgets.all()
    return BudgetListView.of([budgets.standing(each) for each in listing.records], listing)


@routes.get("/{owner}")
async def get_budget(services: Both, _caller: Operator, owner: str) -> StandingView:
    """Tell how an owner's budget stands: their own, or the one that the settings give everybody."""
    budget = services.money.budgets.get(owner)
    if budget is None:
        raise NotFound(
            f"{owner!r} has no budget", hint=f"make one: parkade budget set {owner} 50 --per week"
        )
    return StandingView.of(services.money.budgets.standing(budget))


@routes.put("/{owner}")
async def put_budget(services: Both, caller: Admin, owner: str, form: BudgetForm) -> StandingView:
    """Set an owner's budget. It counts at once, for what is paid for already as well."""
    budget = Budget(
        owner=owner,
        usd=form.usd,
        per=Per(form.per),
        then=WhenSpent(form.then),
        zone=form.zone,
    )
    return StandingView.of(services.money.budgets.put(budget, actor=caller.name))


@routes.delete("/{owner}", status_code=204)
async def remove_budget(services: Both, caller: Admin, owner: str) -> None:
    """Remove an owner's budget; they may spend what they like, or what the settings say."""
    services.money.budgets.remove(owner, actor=caller.name)
