"""Sleep and wake: `/v1/endpoints/{endpoint_name}/sleep` and `/wake`."""

from dataclasses import replace

from parkade.apps.api.auth import Invoker, Operator, require_sight
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.leases import LeaseView
from parkade.apps.api.schemas.sleep import SleepForm, SleepView
from parkade.domain.lease import Lease
from parkade.domain.terms import Terms

routes = router("Sleep", "/v1/endpoints/{endpoint_name}")


@routes.get("/sleep")
async def get_sleep(services: Both, caller: Invoker, endpoint_name: str) -> SleepView:
    """Tell how a leased endpoint sleeps: what is settled, since when it does, what that saves."""
    require_sight(caller, endpoint_name)
    return _view(services, endpoint_name)


@routes.put("/sleep")
async def put_sleep(
    services: Both, caller: Operator, endpoint_name: str, form: SleepForm
) -> SleepView:
    """Settle when it sleeps, and what wakes it. What is left out stays as it is.

    Idle time begins anew with another `after_minutes`. What is asleep sleeps on as it did when it
    fell asleep.
    """
    services.upkeep.terms.change(endpoint_name, caller.name, form.settle)
    return _view(services, endpoint_name)


@routes.delete("/sleep", status_code=204)
async def clear_sleep(services: Both, caller: Operator, endpoint_name: str) -> None:
    """Settle nothing about sleep and wake any more; what is asleep sleeps until it is woken."""
    services.meter.get(endpoint_name)  # raises where there is none

    def awake(terms: Terms) -> Terms:
        return replace(terms, sleep=None, wake=None)

    services.upkeep.terms.change(endpoint_name, caller.name, awake)


@routes.post("/sleep")
async def sleep_now(services: Both, caller: Operator, endpoint_name: str) -> LeaseView:
    """Put it to sleep now; what is asleep stays so.

    409 where its lease is over, where requests are under way, and while it is on its way to another
    status.
    """
    return _lease(services, services.waking.sleeping.now(endpoint_name, actor=caller.name))


@routes.post("/wake")
async def wake(services: Both, caller: Operator, endpoint_name: str) -> LeaseView:
    """Wake it; what is awake stays so.

    409 where its lease is over, unless its owner lets requests start it; and where the owner's
    budget does not pay for the time that buys, what it says.
    """
    return _lease(services, services.waking.asks.wake(endpoint_name, actor=caller.name))


def _view(services: Both, endpoint_name: str) -> SleepView:
    return SleepView.of(services.waking.sleeping.look(endpoint_name), services.clock.now())


def _lease(services: Both, lease: Lease) -> LeaseView:
    seen = services.hosting.endpoints().get(lease.endpoint_name)
    return LeaseView.of(
        lease,
        seen,
        services.clock.now(),
        expected=services.upkeep.starts.expected,
        terms=services.upkeep.terms.by_endpoint().get(lease.endpoint_name),
        refusal=services.upkeep.affording.refusal,
    )
