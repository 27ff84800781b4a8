"""What invocations are counted for: the variants and components that hosting has now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.endpoint import SERVING
from parkade.domain.errors import Unavailable
from parkade.domain.series import SAGEMAKER, Series
from parkade.ports.metrics import FINE, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from parkade.runtime.host import Host
    from parkade.runtime.views import FleetView, VariantView


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A variant or an inference component."""

    endpoint_name: str
    name: str
    #: Whether it is a component, and the variant that it runs on; its own name for a variant.
    component: bool = False
    variant_name: str
    #: Whether it is a shadow variant, whose traffic is nobody's use.
    shadow: bool = False
    asynchronous: bool = False
    serverless: bool = False
    #: Those that answer.
    instances: int = 0
    #: Whether its endpoint is in service.
    serving: bool = True
    #: Seconds of the periods that are asked for.
    seconds: int = MINUTE

    @property
    def key(self) -> tuple[str, str, bool]:
        """What it is known by."""
        return (self.endpoint_name, self.name, self.component)

    @property
    def dimensions(self) -> dict[str, str]:
        """The dimensions of its series."""
        if self.component:
            return {"InferenceComponentName": self.name}
        return {"EndpointName": self.endpoint_name, "VariantName": self.name}

    def series(self, name: str, namespace: str = SAGEMAKER) -> Series:
        """Return its series of this name."""
        return Series.of(namespace, name, **self.dimensions)

    @property
    def use(self) -> Series:
        """Return the series that tells of its use; CloudWatch has no Invocations of async ones."""
        return self.series("InvocationsProcesssed" if self.asynchronous else "Invocations")


class Subjects:
    """Those of all endpoints, by endpoint name; looked up anew once something has changed."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._known: Mapping[str, tuple[Subject, ...]] | None = None

    def changed(self) -> None:
        """Look again when asked the next time."""
        self._known = None

    def all(self) -> Mapping[str, tuple[Subject, ...]]:
        """Return them. Raises Unavailable while hosting has not started."""
        if self._known is None:
            observed = self._host.observed()
            extras = {
                name: each.recorded.blueprint.config.extras
                for name, each in self._host.descriptions().items()
            }
            self._known = {
                name: tuple(
                    _of(
                        name,
                        fleet,
                        serving=observed[name].status in SERVING,
                        seconds=_seconds(extras.get(name, {})),
                    )
                )
                for name, fleet in self._host.fleets().items()
            }
        return self._known

    def of(self, endpoint_name: str) -> tuple[Subject, ...]:
        """Return those of one endpoint; none while hosting has not started."""
        try:
            return self.all().get(endpoint_name, ())
        except Unavailable:
            return ()


def _of(name: str, fleet: FleetView, *, serving: bool, seconds: int) -> Iterator[Subject]:
    # Both generations of a variant count for it.
    rising = fleet.rising.variants if fleet.rising is not None else ()
    taking_over = {view.name: view.instances for view in rising}

    def subject(view: VariantView, variant_name: str, **more: bool) -> Subject:
        return Subject(
            endpoint_name=name,
            name=view.name,
            variant_name=variant_name,
            asynchronous=fleet.asynchronous is not None,
            # Of the views' variants only serverless ones have a limit of requests.
            serverless=view.concurrency is not None,
            instances=len(view.instances) + len(taking_over.get(view.name, ())),
            serving=serving,
            seconds=seconds,
            **more,
        )

    for view in fleet.variants:
        yield subject(view, view.name)
    for view in fleet.shadows:
        yield subject(view, view.name, shadow=True)
    for component in (fleet.components or {}).values():
        yield subject(component.route, component.variant_name, component=True)


def _seconds(extras: Mapping[str, Any]) -> int:
    """Return the periods that an endpoint config's MetricsConfig asks for."""
    wanted = extras.get("MetricsConfig") or {}
    fine = wanted.get("EnableEnhancedMetrics") and (
        wanted.get("MetricPublishFrequencyInSeconds") or MINUTE
    )
    return FINE if fine and fine < MINUTE else MINUTE
