"""What is settled about leased endpoints: `/v1/leases/{endpoint_name}/terms`."""

from parkade.apps.api.auth import Invoker, Operator, require_sight
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.terms import TermsForm, TermsView
from parkade.domain.terms import Terms

routes = router("Leases", "/v1/leases/{endpoint_name}/terms")


@routes.get("")
async def get_terms(services: Both, caller: Invoker, endpoint_name: str) -> TermsView:
    """Tell what is settled about a leased endpoint: office hours, use, the maintainer."""
    require_sight(caller, endpoint_name)
    services.meter.get(endpoint_name)  # raises where there is none
    terms = services.upkeep.terms.get(endpoint_name) or Terms(endpoint_name=endpoint_name)
    return TermsView.of(terms, services.clock.now())


@routes.put("")
async def put_terms(
    services: Both, caller: Operator, endpoint_name: str, form: TermsForm
) -> TermsView:
    """Settle office hours, or extension by use. What is left out stays as it is.

    It counts at once: outside of new office hours an endpoint stops, unless somebody paid for it.
    Whether the maintainer watches it is settled at `/v1/endpoints/{endpoint_name}/maintain`.
    """
    terms = services.upkeep.terms.change(endpoint_name, caller.name, form.settle)
    return TermsView.of(terms, services.clock.now())


@routes.delete("", status_code=204)
async def clear_terms(services: Both, caller: Operator, endpoint_name: str) -> None:
    """Settle nothing any more, about the maintainer neither."""
    services.meter.get(endpoint_name)  # raises where there is none
    services.upkeep.terms.clear(endpoint_name, caller.name)
