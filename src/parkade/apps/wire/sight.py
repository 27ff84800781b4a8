"""Which series are a caller's to see, where its token is limited to some endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.series import Series
    from parkade.domain.token import Token


def sees(caller: Token, series: Series, components: Mapping[str, str]) -> bool:
    """Tell whether a series is the caller's to see; what is of no endpoint is everybody's.

    `components` has the endpoint of each inference component.
    """
    if not caller.endpoints:
        return True
    dimensions = dict(series.dimensions)
    named = [
        *([dimensions["EndpointName"]] if "EndpointName" in dimensions else []),
        *(
            [components.get(dimensions["InferenceComponentName"], "")]
            if "InferenceComponentName" in dimensions
            else []
        ),
    ]
    return all(name in caller.endpoints for name in named)
