"""Testers: cases that are asked by schedule or on request: `/v1/testers`."""

from typing import TYPE_CHECKING

from parkade.apps.api.auth import Operator
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.testers import TesterForm, TesterList, TesterView
from parkade.domain import names

if TYPE_CHECKING:
    from parkade.apps.assembly import Services

routes = router("Testers", "/v1/testers")


@routes.get("")
async def list_testers(
    services: Served, _caller: Operator, limit: Limit = 100, after: After = ""
) -> TesterList:
    """List testers in the order of names, with how their last runs went."""
    listing = services.testing.testers.all()
    found, following = page(listing.records, lambda each: each.name, limit=limit, after=after)
    now, under_way = services.clock.now(), services.testing.rounds.under_way
    return TesterList(
        testers=[TesterView.of(each, now, under_way) for each in found],
        next=following,
        unreadable=dict(listing.unreadable),
    )


@routes.get("/{name}")
async def get_tester(services: Served, _caller: Operator, name: str) -> TesterView:
    """Tell what a tester asks, how its last run went, and why the newest one was skipped, if it was."""
    return _view(services, name)


@routes.put("/{name}")
async def put_tester(services: Served, caller: Operator, name: str, form: TesterForm) -> TesterView:
    """Set a tester over the one of its name; what is known of its runs stays."""
    names.endpoint_name(name, field="name")
    services.testing.testers.put(name, form.model_dump(), actor=caller.name)
    return _view(services, name)


@routes.delete("/{name}", status_code=204)
async def remove_tester(services: Served, caller: Operator, name: str) -> None:
    """Remove a tester; a run that is under way is not recorded any more."""
    services.testing.testers.remove(name, actor=caller.name)


@routes.post("/{name}/run", status_code=202)
async def run_tester(services: Served, caller: Operator, name: str) -> TesterView:
    """Begin a run now, and answer at once; `running_since` is null again when it is over.

    Unlike one by schedule it is carried out whatever its endpoint does: one that is asleep is woken
    by the first call. 409 while a run of it is under way.
    """
    services.testing.rounds.start(name, by=caller.name)
    return _view(services, name)


def _view(services: "Services", name: str) -> TesterView:
    tester = services.testing.testers.get(name)
    return TesterView.of(tester, services.clock.now(), services.testing.rounds.under_way)
