"""What an AWS account has to tell of single endpoints: CloudWatch knows the rest."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NoReturn

from parkade.apps.api.schemas.scaling import CountView
from parkade.apps.control.traffic import Traffic
from parkade.domain.errors import Conflict, ParkadeError
from parkade.runtime.backlog import BacklogView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.api.schemas.scaling import CapacityView
    from parkade.ports.capacity import Reading


logger = logging.getLogger(__name__)


class AccountSights:
    """Instances have no names here, and their logs and traffic are CloudWatch's."""

    def __init__(self, capacities: Callable[[], Mapping[str, Reading]], region: str) -> None:
        self._capacities = capacities
        self._region = region

    def traffic(self, endpoint_name: str) -> Traffic:  # noqa: ARG002
        """Return nothing: CloudWatch tells of a minute when it is over."""
        return Traffic()

    def backlog(self, endpoint_name: str) -> BacklogView:  # noqa: ARG002
        """Return nothing: CloudWatch tells of a backlog when its minute is over."""
        return BacklogView(waiting=0, running=0, oldest=None)

    def instances(self, endpoint_name: str) -> tuple[()]:  # noqa: ARG002
        """Return none: SageMaker tells how many there are, and no more."""
        return ()

    def logs(self, endpoint_name: str) -> NoReturn:
        """Raise Conflict that says where they are."""
        group = f"/aws/sagemaker/Endpoints/{endpoint_name}"
        raise Conflict(
            f"what the instances of {endpoint_name!r} write is in the log group {group} of "
            f"CloudWatch in {self._region}",
            hint=f"aws logs tail {group} --follow --region {self._region}",
        )

    def scaled(self) -> Counts:
        """Look at how many there are of what."""
        return Counts(self._capacities)


class Counts:
    """One look at all capacities; what cannot be seen is left out, as it hides nothing else."""

    def __init__(self, capacities: Callable[[], Mapping[str, Reading]]) -> None:
        try:
            self._readings = tuple(capacities().values())
        except ParkadeError as error:
            logger.warning("capacities cannot be told: %s", error.message)
            self._readings = ()

    def counts(self, endpoint_name: str) -> list[CountView]:
        """Return how many there are of each variant, or inference component, of an endpoint."""
        return [
            CountView.of(each, None)
            for each in self._readings
            if each.endpoint_name == endpoint_name
        ]

    def capacities(self, endpoint_name: str) -> list[CapacityView]:  # noqa: ARG002
        """Return none: scaling is Application Auto Scaling's, and told there."""
        return []
