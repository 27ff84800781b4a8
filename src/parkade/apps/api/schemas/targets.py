"""The forms of target models: the models of a multi-model endpoint."""

from datetime import datetime

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.runtime.shelves import Copy, Shelf
from parkade.runtime.tallies import Tally
from parkade.runtime.targetviews import TargetView


class TargetForm(Form):
    """What is asked for about a target model; what is left out stays as it is."""

    pinned: bool = Field(
        False, strict=True, description="Whether it stays loaded, even where memory is short."
    )
    ttl_minutes: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Minutes without a request after which it is unloaded; null: as "
        "multi_model.idle_minutes says.",
    )


class CopyOfTarget(View):
    """A target model that is loaded in an instance."""

    instance_id: str
    memory_bytes: int | None = Field(description="null: its container does not tell.")
    loaded_at: datetime
    last_used_at: datetime
    in_flight: int

    @classmethod
    def of(cls, copy: Copy) -> "CopyOfTarget":
        """Write a copy."""
        return cls(
            instance_id=copy.place.instance_id,
            memory_bytes=copy.memory,
            loaded_at=copy.loaded_at,
            last_used_at=copy.used_at,
            in_flight=sum(copy.in_flight.values()),
        )


class TargetMetrics(View):
    """Counted since the control process began; times in microseconds, by SageMaker's names."""

    invocations: int
    model_errors: int
    cache_hits: int = Field(description="Invocations that found it loaded.")
    hit_ratio: float | None = Field(description="ModelCacheHit; null: no invocation yet.")
    model_latency: int | None = Field(description="Average over the invocations.")
    model_loading_wait_time: int | None = Field(description="Average over those that waited.")
    model_downloading_time: int | None
    model_loading_time: int | None
    model_unloading_time: int | None
    loads: int

    @classmethod
    def of(cls, tally: Tally) -> "TargetMetrics":
        """Write a tally."""
        return cls(
            invocations=tally.invocations,
            model_errors=tally.model_errors,
            cache_hits=tally.hits,
            hit_ratio=tally.hit_ratio,
            model_latency=_average(tally.model_us, tally.invocations),
            model_loading_wait_time=_average(tally.waiting_us, tally.invocations - tally.hits),
            model_downloading_time=_average(tally.downloading_us, tally.downloads),
            model_loading_time=_average(tally.loading_us, tally.loads),
            model_unloading_time=_average(tally.unloading_us, tally.unloads),
            loads=tally.loads,
        )


def _average(total: int, count: int) -> int | None:
    return round(total / count) if count else None


class TargetModelView(View):
    """A model of a multi-model endpoint that is loaded, was used, or was asked something for."""

    target: str = Field(examples=["a/b.tar.gz"])
    variant_name: str
    pinned: bool
    ttl_minutes: float | None
    loaded: list[CopyOfTarget] = Field(description="One for each instance that has it.")
    metrics: TargetMetrics

    @classmethod
    def of(cls, view: TargetView) -> "TargetModelView":
        """Write a target model."""
        return cls(
            target=view.target,
            variant_name=view.variant_name,
            pinned=view.setting.pinned,
            ttl_minutes=view.setting.ttl_minutes,
            loaded=[CopyOfTarget.of(each) for each in view.copies],
            metrics=TargetMetrics.of(view.tally),
        )


class ShelfView(View):
    """An instance of a multi-model endpoint."""

    id: str
    variant_name: str
    loaded_model_count: int
    memory_bytes: int = Field(description="Of its models, as far as their container tells.")

    @classmethod
    def of(cls, shelf: Shelf) -> "ShelfView":
        """Write an instance."""
        memory, _ = shelf.size
        return cls(
            id=shelf.place.instance_id,
            variant_name=shelf.place.variant_name,
            loaded_model_count=len(shelf.copies),
            memory_bytes=memory,
        )


class TargetModelList(View):
    """One page of target models, and the instances that load them."""

    models: list[TargetModelView]
    instances: list[ShelfView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
