"""`monitor`: what is measured, and how long it is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from parkade.apps.sections.base import Section


class Monitor(Section):
    """Series of measurements."""

    minute_days: Annotated[float, Field(gt=0)] = Field(
        default=15, description="days. How long points of one minute are kept; CloudWatch's."
    )
    hour_days: Annotated[float, Field(gt=0)] = Field(
        default=90, description="days. How long points of one hour are kept."
    )
    fine_hours: Annotated[float, Field(gt=0)] = Field(
        default=3,
        description="hours. How long points of less than a minute are kept; CloudWatch's.",
    )
    public: bool = Field(
        default=False,
        description="whether `/metrics` is shown without a token, for a Prometheus that has none.",
    )
