"""One call of an operation: who asks, what for, and what may be used to answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from parkade.apps.autoscaling.faults import refused
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.apps.wire import sight
from parkade.apps.wire.faults import Fault
from parkade.domain.scaling.target import Dimension, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.apps.assembly import Services
    from parkade.domain.metricquery import Query
    from parkade.domain.token import Role, Token
    from parkade.services.scaling import Scaling
    from parkade.services.timetables import Timetables

NAMESPACE = "sagemaker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The caller and the input, which is as the operation's shape describes it."""

    services: Services
    caller: Token
    operation: str
    region: str
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        """Who is written down as the cause."""
        return self.caller.name

    def asking(self, given: Mapping[str, Any]) -> Call:
        """Return the call with its input. Raises ValidationException for what is not SageMaker's."""
        namespace = given.get("ServiceNamespace", NAMESPACE)
        if namespace != NAMESPACE:
            raise refused(
                f"ServiceNamespace {namespace}",
                f"what is scaled here is of SageMaker; give ServiceNamespace {NAMESPACE}",
            )
        dimension = given.get("ScalableDimension", Dimension.INSTANCES)
        if dimension not in list(Dimension):
            raise refused(f"ScalableDimension {dimension}", f"there are: {', '.join(Dimension)}")
        return replace(self, given=given)

    def resource(self) -> Resource:
        """Return what ResourceId and ScalableDimension name. Raises InvalidInput, AccessDenied."""
        found = Resource.parse(self.given["ResourceId"], self.given["ScalableDimension"])
        self.require_sight(found)
        return found

    @property
    def scaling(self) -> Scaling:
        """What is scaled, and how."""
        return self.services.scaling.book

    @property
    def timetables(self) -> Timetables:
        """The scheduled actions."""
        return self.services.scaling.timetables

    def named(self, resource: Resource) -> dict[str, str]:
        """Return the members that name a resource in answers."""
        return {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": resource.id,
            "ScalableDimension": resource.dimension.value,
        }

    def alarm_arn(self, name: str) -> str:
        """Return the ARN of an alarm."""
        return f"arn:aws:cloudwatch:{self.region}:{ACCOUNT}:alarm:{name}"

    def require(self, role: Role) -> None:
        """Raise AccessDeniedException unless the caller's role is enough."""
        if not self.caller.role.includes(role):
            raise self._denied(
                f"token {self.actor!r} has the role {self.caller.role}; this needs {role}"
            )

    def require_sight(self, resource: Resource) -> None:
        """Raise AccessDeniedException where the caller's token is limited to other endpoints."""
        if not self.sees(resource):
            raise self._denied(
                f"{resource} is of another endpoint than those that token {self.actor!r} is "
                f"limited to: {', '.join(sorted(self.caller.endpoints))}"
            )

    def sees(self, resource: Resource) -> bool:
        """Tell whether a resource is of the endpoints that the caller's token is limited to."""
        if not self.caller.endpoints:
            return True
        if not resource.component:
            return resource.name in self.caller.endpoints
        return self._components().get(resource.name, "") in self.caller.endpoints

    def require_series(self, queries: Iterable[Query]) -> None:
        """Raise AccessDeniedException for metrics of endpoints that are not the caller's to see."""
        if not self.caller.endpoints:
            return
        components = self._components()
        for query in queries:
            if query.measured and not sight.sees(self.caller, query.measured.series, components):
                raise self._denied(
                    f"{query.measured.series} is of another endpoint than those that token "
                    f"{self.actor!r} is limited to: {', '.join(sorted(self.caller.endpoints))}"
                )

    def _components(self) -> dict[str, str]:
        """Return the endpoint of each inference component that is there."""
        readings = self.services.scaling.capacity.all().values()
        return {
            each.resource.name: each.endpoint_name for each in readings if each.resource.component
        }

    def _denied(self, why: str) -> Fault:
        user = f"arn:aws:iam::{ACCOUNT}:user/{self.actor}"
        return Fault(
            "AccessDeniedException",
            f"User: {user} is not authorized to perform: application-autoscaling:{self.operation} "
            f"because {why}",
        )
