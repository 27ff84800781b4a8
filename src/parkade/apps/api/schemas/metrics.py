"""The forms of measurements."""

from datetime import datetime

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.ports.metrics import Known
from parkade.services.metrics import Answer, Told


class SeriesView(View):
    """A series: what is measured, and of what."""

    namespace: str = Field(examples=["AWS/SageMaker"])
    name: str = Field(examples=["Invocations"])
    dimensions: dict[str, str] = Field(examples=[{"EndpointName": "text", "VariantName": "main"}])
    unit: str = Field(description="CloudWatch's name of its unit.", examples=["Count"])
    newest: datetime = Field(description="The begin of the newest period that has a point.")

    @classmethod
    def of(cls, known: Known) -> "SeriesView":
        """Write a series that there is."""
        return cls(
            namespace=known.series.namespace,
            name=known.series.name,
            dimensions=dict(known.series.dimensions),
            unit=known.unit,
            newest=known.newest,
        )


class SeriesList(View):
    """The series that there are, in the order of namespaces, names and dimensions."""

    series: list[SeriesView]


class PointView(View):
    """The statistics of one period."""

    at: datetime = Field(description="Its begin.")
    values: dict[str, float | None] = Field(
        description="Each statistic that was asked for; null: not known, as a percentile of "
        "what has no histogram.",
        examples=[{"Sum": 12, "p99": 8321.5}],
    )

    @classmethod
    def of(cls, told: Told, statistics: list[str]) -> "PointView":
        """Write what is told of a period."""
        return cls(at=told.at, values=dict(zip(statistics, told.values, strict=True)))


class MeasuredView(View):
    """What there is of one series."""

    series: SeriesView
    points: list[PointView] = Field(description="Periods with measurements, in the order of time.")
    unreadable: str | None = Field(
        description="Why there are no points of it: what is stored is damaged within the range."
    )

    @classmethod
    def of(cls, known: Known, answer: Answer) -> "MeasuredView":
        """Write what there is of a series."""
        names = [each.name for each in answer.wanted.statistics]
        return cls(
            series=SeriesView.of(known),
            points=[PointView.of(each, names) for each in answer.points],
            unreadable=answer.unreadable.message if answer.unreadable else None,
        )


class Measurements(View):
    """What was measured, period by period."""

    start: datetime = Field(description="The begin of the first period.")
    end: datetime = Field(description="The end of the last one.")
    period: int = Field(description="seconds.")
    statistics: list[str]
    measured: list[MeasuredView]


class SampleForm(Form):
    """What was measured of one series at one time: values, and how often there was each."""

    name: str = Field(min_length=1, max_length=255, examples=["ResponseTime"])
    dimensions: dict[str, str] = Field({}, max_length=30, examples=[{"Project": "Text"}])
    unit: str = Field("None", max_length=40, examples=["Milliseconds"])
    values: list[float] = Field(min_length=1, max_length=10_000, examples=[[12.5, 13.0]])
    counts: list[float] | None = Field(
        None, description="How often there was each value; left out: once.", examples=[[3, 1]]
    )
    ago_seconds: float = Field(
        0, ge=0, le=14 * 86_400, description="How long ago that was; on the server's clock."
    )


class SamplesForm(Form):
    """Measurements of one's own."""

    namespace: str = Field(min_length=1, max_length=255, examples=["Parkade/Tester"])
    samples: list[SampleForm] = Field(min_length=1, max_length=1000)
