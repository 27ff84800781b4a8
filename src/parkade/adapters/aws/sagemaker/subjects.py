"""What CloudWatch counts the use of an endpoint for, by how the endpoint was last seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.cloudwatch.subjects import Subject
from parkade.domain.errors import EndpointNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.sagemaker.components import Components
    from parkade.adapters.aws.sagemaker.sights import Sights


class Subjects:
    """Tells the variants and inference components of endpoints. Safe to use from several threads."""

    def __init__(self, sights: Sights, components: Components) -> None:
        self._sights = sights
        self._components = components

    def __call__(self, endpoint_name: str) -> tuple[Subject, ...]:
        """Return those of an endpoint; variants that are being brought up count with the others.

        Where there are inference components, each request names one: then it is they that are
        counted, and not their variants. Raises EndpointNotFound, and what `calling` raises.
        """
        seen = self._sights.last(endpoint_name)
        if seen is None:
            raise EndpointNotFound(f"no endpoint has the name {endpoint_name!r}")
        parts = {each.name: each for each in (*seen.rising, *seen.parts)}
        if any(each.hosts for each in parts.values()):
            hosted = _of(self._components.names(), endpoint_name)
            if hosted:
                return tuple(
                    Subject(endpoint_name=endpoint_name, name=each, component=True)
                    for each in hosted
                )
        return tuple(
            Subject(
                endpoint_name=endpoint_name,
                name=each.name,
                shadow=each.shadow,
                asynchronous=seen.asynchronous,
            )
            for each in parts.values()
        )


def _of(components: Mapping[str, str], endpoint_name: str) -> list[str]:
    return sorted(name for name, host in components.items() if host == endpoint_name)
