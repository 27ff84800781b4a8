"""The forms of a project's dashboard: all that a console needs to draw it."""

from datetime import datetime

from pydantic import Field

from parkade.apps.api.schemas.alarms import AlarmView
from parkade.apps.api.schemas.form import View
from parkade.domain.dashboard.panel import Measure
from parkade.services.dashboards import Drawn, Picture, Shown, Told


class LineView(View):
    """One statistic of one series over time."""

    label: str = Field(examples=["Model-A p99"])
    namespace: str = Field(examples=["AWS/SageMaker"])
    name: str = Field(examples=["ModelLatency"])
    dimensions: dict[str, str]
    statistic: str = Field(examples=["p99"])
    values: list[float | None] = Field(
        description="A value for each of `times`; null: nothing was measured then."
    )
    trouble: str = Field(description="Why it cannot be read; else empty.")

    @classmethod
    def of(cls, drawn: Drawn) -> "LineView":
        """Write a line."""
        line = drawn.line
        return cls(
            label=line.label,
            namespace=line.series.namespace,
            name=line.series.name,
            dimensions=dict(line.series.dimensions),
            statistic=line.statistic,
            values=list(drawn.values),
            trouble=drawn.trouble,
        )


class FigureView(View):
    """One number, as it is now."""

    label: str = Field(examples=["ShopDemo-text"])
    value: float | None = Field(description="null: there is none.")
    why: str = Field(description="Why there is none, or why it is nothing; may be empty.")

    @classmethod
    def of(cls, told: Told) -> "FigureView":
        """Write a figure."""
        return cls(label=told.figure.label, value=told.value, why=told.why)


class PanelView(View):
    """One panel: lines over time, or figures of now."""

    title: str = Field(examples=["Model latency"])
    about: str = Field(description="What is seen, for people.")
    unit: Measure = Field(description="Of its lines and figures.")
    lines: list[LineView]
    figures: list[FigureView]

    @classmethod
    def of(cls, shown: Shown) -> "PanelView":
        """Write a panel."""
        return cls(
            title=shown.panel.title,
            about=shown.panel.about,
            unit=shown.panel.unit,
            lines=[LineView.of(each) for each in shown.lines],
            figures=[FigureView.of(each) for each in shown.figures],
        )


class RowView(View):
    """Panels that belong together."""

    title: str = Field(examples=["API"])
    panels: list[PanelView]


class DashboardView(View):
    """A project's dashboard with what it shows."""

    project: str = Field(description="Its prefix.", examples=["ShopDemo"])
    start: datetime = Field(description="The begin of the first period.")
    end: datetime = Field(description="The end of the last one.")
    period: int = Field(description="seconds.")
    times: list[datetime] = Field(description="The begins of the periods.")
    rows: list[RowView]
    alarms: list[AlarmView] = Field(description="The project's alarms, with their states.")
    missing: list[str] = Field(description="Alarms of the project that are not there.")

    @classmethod
    def of(
        cls, prefix: str, picture: Picture, alarms: list[AlarmView], missing: list[str]
    ) -> "DashboardView":
        """Write a dashboard."""
        return cls(
            project=prefix,
            start=picture.start,
            end=picture.end,
            period=picture.period,
            times=list(picture.times),
            rows=[
                RowView(title=title, panels=[PanelView.of(each) for each in panels])
                for title, panels in picture.rows
            ],
            alarms=alarms,
            missing=missing,
        )
