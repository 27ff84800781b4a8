"""Endpoint configs: `/v1/configs`."""

from parkade.apps.api.auth import Admin, Operator
from parkade.apps.api.errors import respelt
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.configs import SPELLINGS, ConfigForm, ConfigList, ConfigView

routes = router("Configs", "/v1/configs")


@routes.get("")
async def list_configs(
    services: Both, _caller: Operator, limit: Limit = 100, after: After = ""
) -> ConfigList:
    """List endpoint configs in the order of names."""
    listing = services.workshop.configs()
    found, following = page(listing.records, lambda config: config.name, limit=limit, after=after)
    return ConfigList(
        configs=[ConfigView.of(each) for each in found],
        next=following,
        unreadable=dict(listing.unreadable),
    )


@routes.post("", status_code=201)
async def create_config(services: Both, caller: Admin, form: ConfigForm) -> ConfigView:
    """Create an endpoint config of 1 to 10 variants."""
    with respelt(SPELLINGS):
        config = form.config(services.clock.now())
        services.workshop.create_config(config, caller.name)
    services.changed()
    return ConfigView.of(config)


@routes.get("/{name}")
async def get_config(services: Both, _caller: Operator, name: str) -> ConfigView:
    """Describe an endpoint config with its variants."""
    return ConfigView.of(services.workshop.config(name))


@routes.delete("/{name}", status_code=204)
async def delete_config(services: Both, caller: Admin, name: str) -> None:
    """Delete an endpoint config; 409 while an endpoint uses it."""
    services.workshop.delete_config(name, caller.name)
    services.changed()
