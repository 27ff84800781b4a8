"""The forms of routes."""

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.ports.routes import Route


class RouteForm(Form):
    """Where a path leads."""

    endpoint_name: str = Field(examples=["falcon"])
    public: bool = Field(False, strict=True, description="A public route asks for no token.")


class RouteView(View):
    """A short public path to an endpoint."""

    path: str = Field(examples=["/falcon"])
    endpoint_name: str
    public: bool

    @classmethod
    def of(cls, route: Route) -> "RouteView":
        """Write a route."""
        return cls(path=route.path, endpoint_name=route.endpoint_name, public=route.public)


class RouteList(View):
    """One page of routes."""

    routes: list[RouteView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
