"""Models: `/v1/models`."""

from parkade.apps.api.auth import Admin, Operator
from parkade.apps.api.errors import respelt
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.models import SPELLINGS, ModelForm, ModelList, ModelView

routes = router("Models", "/v1/models")


@routes.get("")
async def list_models(
    services: Both, _caller: Operator, limit: Limit = 100, after: After = ""
) -> ModelList:
    """List models in the order of names."""
    listing = services.workshop.models()
    found, following = page(listing.records, lambda model: model.name, limit=limit, after=after)
    return ModelList(
        models=[ModelView.of(each) for each in found],
        next=following,
        unreadable=dict(listing.unreadable),
    )


@routes.post("", status_code=201)
async def create_model(services: Both, caller: Admin, form: ModelForm) -> ModelView:
    """Create a model of an image and its packed data."""
    with respelt(SPELLINGS):
        model = form.model(services.clock.now())
        services.workshop.create_model(model, caller.name)
    services.changed()
    return ModelView.of(model)


@routes.get("/{name}")
async def get_model(services: Both, _caller: Operator, name: str) -> ModelView:
    """Describe a model: its image, its data, its environment."""
    return ModelView.of(services.workshop.model(name))


@routes.delete("/{name}", status_code=204)
async def delete_model(services: Both, caller: Admin, name: str) -> None:
    """Delete a model; its data stays where it is."""
    services.workshop.delete_model(name, caller.name)
    services.changed()
