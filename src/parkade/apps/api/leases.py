"""Leases, clean: `/v1/leases`."""

from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Response

from parkade.apps.api.auth import Invoker, Operator, may_see, require_sight
from parkade.apps.api.errors import respelt
from parkade.apps.api.keys import IdempotencyKey
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.leases import AddForm, ExtendForm, LeaseList, LeaseView, StartForm
from parkade.apps.api.schemas.money import QuoteView
from parkade.domain import names
from parkade.domain.standing import State
from parkade.domain.tags import checked

if TYPE_CHECKING:
    from datetime import timedelta

    from parkade.domain.lease import Lease
    from parkade.services.meter import Meter

routes = router("Leases", "/v1/leases")

DryRun = Annotated[
    bool,
    Query(description="Change nothing: answer with the price, or refuse as it would be refused."),
]

_SPELLINGS = {"EndpointName": "endpoint_name", "EndpointConfigName": "config_name"}


@routes.get("")
async def list_leases(
    services: Both,
    caller: Invoker,
    limit: Limit = 100,
    after: After = "",
    owner: Annotated[str | None, Query(description="Only leases of this owner.")] = None,
    state: Annotated[State | None, Query(description="Only leases in this state.")] = None,
) -> LeaseList:
    """List leases in the order of endpoint names.

    An invoker sees the endpoints it may invoke.
    """
    now, expected = services.clock.now(), services.upkeep.starts.by_config().get
    refusal = services.upkeep.affording.at_once()
    seen = services.hosting.endpoints()
    shelf, terms = services.meter.all(), services.upkeep.terms.by_endpoint()
    views = [
        LeaseView.of(
            lease,
            seen.get(lease.endpoint_name),
            now,
            expected=expected,
            terms=terms.get(lease.endpoint_name),
            refusal=refusal,
        )
        for lease in shelf.leases
        if may_see(caller, lease.endpoint_name) and owner in {None, lease.owner}
    ]
    wanted = [view for view in views if state in {None, view.state}]
    found, following = page(wanted, lambda view: view.endpoint_name, limit=limit, after=after)
    unreadable = {name: why for name, why in shelf.unreadable.items() if may_see(caller, name)}
    return LeaseList(leases=found, next=following, unreadable=unreadable)


@routes.get("/{endpoint_name}")
async def get_lease(services: Both, caller: Invoker, endpoint_name: str) -> LeaseView:
    """Describe the lease of an endpoint."""
    require_sight(caller, endpoint_name)
    return _view(services, services.meter.get(endpoint_name))


@routes.put("/{endpoint_name}", status_code=201)
async def add_lease(
    *,
    services: Both,
    caller: Operator,
    response: Response,
    endpoint_name: str,
    form: AddForm,
    key: IdempotencyKey = None,
    dry_run: DryRun = False,
) -> LeaseView | QuoteView:
    """Add a lease, which starts the endpoint; one that expired elsewhere starts nothing.

    409 where the endpoint has a lease: extend that, or start it again. 402 where it costs more
    than is left of the owner's budget.
    """
    checked(form.tags)
    paid = form.paid()
    with respelt(_SPELLINGS):
        lease = _meter(services, dry_run=dry_run).add(
            names.endpoint_name(endpoint_name),
            names.endpoint_name(form.config_name, field="config_name"),
            amount=paid,
            owner=names.buyer_name(form.owner or caller.name, field="owner"),
            actor=caller.name,
            key=key,
        )
    amount = form.minutes
    if form.expires_at is not None:
        amount = lease.time_left(lease.created_at)
    if dry_run:
        response.status_code = 200
        return _view(services, lease) if lease.ended else _quote(services, lease, amount)
    if form.tags:
        services.upkeep.tagging.put(endpoint_name, form.tags, actor=caller.name)
    return _view(services, lease) if lease.ended else _paid(services, lease, amount)


@routes.post("/{endpoint_name}/extend")
async def extend_lease(
    *,
    services: Both,
    caller: Operator,
    endpoint_name: str,
    form: ExtendForm,
    key: IdempotencyKey = None,
    dry_run: DryRun = False,
) -> LeaseView | QuoteView:
    """Add minutes to the expiry, or to now where that is past.

    An endpoint that is over starts again. 402 where it costs more than is left of the budget.
    """
    meter = _meter(services, dry_run=dry_run)
    lease = meter.extend(endpoint_name, form.minutes, actor=caller.name, key=key)
    if dry_run:
        return _quote(services, lease, form.minutes)
    return _paid(services, lease, form.minutes)


@routes.post("/{endpoint_name}/start")
async def start_endpoint(
    *,
    services: Both,
    caller: Operator,
    endpoint_name: str,
    form: StartForm | None = None,
    dry_run: DryRun = False,
) -> LeaseView | QuoteView:
    """Start an endpoint whose lease is over.

    402 where it costs more than is left of the budget.
    """
    amount = form.minutes if form else None
    meter = _meter(services, dry_run=dry_run)
    lease = meter.start(endpoint_name, amount=amount, actor=caller.name)
    if dry_run:
        return _quote(services, lease, amount)
    return _paid(services, lease, amount)


@routes.post("/{endpoint_name}/end")
async def end_lease(services: Both, caller: Operator, endpoint_name: str) -> LeaseView:
    """End a lease early, which stops the endpoint; one that is over stays as it is."""
    return _view(services, services.meter.stop(endpoint_name, actor=caller.name))


@routes.delete("/{endpoint_name}", status_code=204)
async def remove_lease(services: Both, caller: Operator, endpoint_name: str) -> None:
    """Remove the lease and its endpoint.

    409 while the endpoint cannot be deleted: the lease has ended then; repeat it later.
    """
    services.meter.remove(endpoint_name, actor=caller.name)


def _view(services: Both, lease: "Lease") -> LeaseView:
    seen = services.hosting.endpoints().get(lease.endpoint_name)
    expected = services.upkeep.starts.expected
    terms = services.upkeep.terms.by_endpoint().get(lease.endpoint_name)
    return LeaseView.of(
        lease,
        seen,
        services.clock.now(),
        expected=expected,
        terms=terms,
        refusal=services.upkeep.affording.refusal,
    )


def _meter(services: Both, *, dry_run: bool) -> "Meter":
    return services.meter.rehearsal() if dry_run else services.meter


def _paid(services: Both, lease: "Lease", amount: "timedelta | None") -> LeaseView:
    """Write the lease with the price of what was just paid."""
    paid = services.file().lease_rules().initial if amount is None else amount
    price = services.money.quotes.paid(lease, paid)
    view = _view(services, lease)
    return view.model_copy(update={"price": QuoteView.of(price) if price else None})


def _quote(services: Both, lease: "Lease", amount: "timedelta | None") -> QuoteView:
    """Write the price of what would be paid."""
    quote = services.money.quotes.price(
        lease.endpoint_name, config_name=lease.config_name, amount=amount, owner=lease.owner
    )
    return QuoteView.of(quote)
