"""The models of a multi-model endpoint: `/v1/endpoints/{name}/models`."""

from parkade.apps.api.auth import Operator
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.targets import (
    ShelfView,
    TargetForm,
    TargetModelList,
    TargetModelView,
)
from parkade.domain.errors import Conflict, EndpointNotFound
from parkade.domain.targets import target_model
from parkade.runtime import targetviews
from parkade.runtime.placement import Wanted

routes = router("Endpoints", "/v1/endpoints/{endpoint_name}/models")


@routes.get("")
async def list_target_models(
    services: Served, _caller: Operator, endpoint_name: str, limit: Limit = 100, after: After = ""
) -> TargetModelList:
    """List the target models that are loaded, were used, or are pinned, in the order of names."""
    _require(services, endpoint_name)
    known = _known(services, endpoint_name)
    found, following = page(
        known, lambda view: f"{view.target} {view.variant_name}", limit=limit, after=after
    )
    shelves = targetviews.shelves(services.many.placement, endpoint_name)
    return TargetModelList(
        models=[TargetModelView.of(each) for each in found],
        instances=[ShelfView.of(each) for each in shelves],
        next=following,
    )


@routes.put("/{target:path}")
async def set_target_model(
    services: Served, caller: Operator, endpoint_name: str, target: str, form: TargetForm
) -> TargetModelView:
    """Pin a target model, or set after how long without a request it is unloaded.

    A pinned one that is not loaded is loaded within seconds. Both outlive the endpoint: they hold
    again when it comes back.
    """
    _require(services, endpoint_name)
    target = target_model(target)
    if "pinned" in form.model_fields_set:
        services.targets.pin(endpoint_name, target, pinned=form.pinned, actor=caller.name)
    if "ttl_minutes" in form.model_fields_set:
        services.targets.keep_for(endpoint_name, target, form.ttl_minutes, caller.name)
    return _view(services, endpoint_name, target)


@routes.post("/{target:path}/preload")
async def preload_target_model(
    services: Served, _caller: Operator, endpoint_name: str, target: str
) -> TargetModelView:
    """Load a target model before anybody asks for it; answered when it is loaded."""
    _require(services, endpoint_name)
    target = target_model(target)
    placement = services.many.placement
    variants = {shelf.place.variant_name for shelf in targetviews.shelves(placement, endpoint_name)}
    if not variants:
        raise Conflict(
            f"endpoint {endpoint_name!r} has no instance that loads models now",
            hint="it is no multi-model endpoint, or is still starting",
        )
    for variant in sorted(variants):
        await placement.load(
            Wanted(endpoint_name=endpoint_name, variant_name=variant, target=target)
        )
    return _view(services, endpoint_name, target)


def _require(services: Served, endpoint_name: str) -> None:
    if endpoint_name not in services.hosting.endpoints():
        raise EndpointNotFound(
            f"endpoint {endpoint_name!r} is not there", hint="GET /v1/endpoints lists all"
        )


def _known(services: Served, endpoint_name: str) -> list[targetviews.TargetView]:
    return targetviews.targets(services.many.placement, services.targets.all(), endpoint_name)


def _view(services: Served, endpoint_name: str, target: str) -> TargetModelView:
    known = (view for view in _known(services, endpoint_name) if view.target == target)
    return TargetModelView.of(next(known, targetviews.nothing(endpoint_name, target)))
