"""The forms of routes."""

from typing import Self

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.domain import route as rules
from parkade.domain.errors import InvalidInput
from parkade.domain.route import Mark, Rate, Sticky
from parkade.ports.routes import Route


class RateForm(Form):
    """How often all callers of a route together may call."""

    per_second: float = Field(
        strict=True, examples=[10], description="Requests a second, for long."
    )
    burst: int | None = Field(
        None,
        strict=True,
        examples=[20],
        description="Requests at once; left out: as many as in a second.",
    )

    def read(self) -> Rate:
        """Return the rate."""
        return rules.rate(self.per_second, self.burst)


class StickyForm(Form):
    """What tells one caller from another: one of the two."""

    header: str | None = Field(None, examples=["X-User"])
    cookie: str | None = Field(None, examples=["visitor"])

    def read(self) -> Sticky:
        """Return what it says. Raises InvalidInput where that is not one thing."""
        given = [(mark, name) for mark in Mark if (name := getattr(self, mark)) is not None]
        if len(given) != 1:
            raise InvalidInput(
                f"sticky names {'a header and a cookie' if given else 'nothing'}",
                field="sticky",
                hint='give {"header": NAME} or {"cookie": NAME}',
            )
        ((mark, name),) = given
        return Sticky(mark=mark, name=name)


class RouteForm(Form):
    """Where a path leads, and under which conditions."""

    endpoint_name: str = Field(examples=["falcon"])
    public: bool = Field(False, strict=True, description="A public route asks for no token.")
    rate: RateForm | None = Field(
        None,
        description="How often all its callers together may call, whatever their tokens allow; "
        "above it they are answered 429.",
    )
    timeout_seconds: float | None = Field(
        None,
        strict=True,
        examples=[30],
        description="Seconds that a model has to begin its answer; left out: "
        "`limits.model_seconds`.",
    )
    sticky: StickyForm | None = Field(
        None, description="The same caller gets the same variant of the endpoint each time."
    )


class RateView(View):
    """How often all callers of a route together may call."""

    per_second: float
    burst: int


class StickyView(View):
    """What tells one caller from another; the other one is null."""

    header: str | None
    cookie: str | None


class RouteView(View):
    """A short public path to an endpoint."""

    path: str = Field(examples=["/falcon"])
    endpoint_name: str
    public: bool
    rate: RateView | None
    timeout_seconds: float | None
    sticky: StickyView | None
    project: str = Field(description="The project that it belongs to; empty: none.")

    @classmethod
    def of(cls, route: Route) -> Self:
        """Write a route."""
        rate, sticky = route.rate, route.sticky
        marks = {mark.value: None for mark in Mark}
        return cls(
            path=route.path,
            endpoint_name=route.endpoint_name,
            public=route.public,
            rate=RateView(per_second=rate.per_second, burst=rate.burst) if rate else None,
            timeout_seconds=route.timeout_seconds,
            sticky=StickyView(**{**marks, sticky.mark.value: sticky.name}) if sticky else None,
            project=route.project,
        )


class RouteList(View):
    """One page of routes."""

    routes: list[RouteView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
