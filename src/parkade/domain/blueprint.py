"""What runs: an endpoint's config and models as they were taken, and inference components.

Both keep what they were made of: names of models and configs may be given anew meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from parkade.domain import names
from parkade.domain.catalog import EndpointConfig, Model, Variant  # noqa: TC001
from parkade.domain.errors import InvalidInput


class Retained(StrEnum):
    """VariantPropertyType: what an endpoint may keep when it is updated to another config."""

    COUNTS = "DesiredInstanceCount"
    WEIGHTS = "DesiredWeight"
    CAPTURE = "DataCaptureConfig"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """What an endpoint runs: its config and models as they were when it was told to.

    Models may be deleted while it runs, and names given anew: the endpoint keeps what it has.
    The counts and weights are those that are wanted now.
    """

    config: EndpointConfig
    models: tuple[Model, ...]

    def __post_init__(self) -> None:
        if not any(model.primary.multi_model for model in self.models):
            return
        if self.config.shadows:
            raise InvalidInput(
                "ShadowProductionVariants goes with models of Mode SingleModel alone",
                field="ShadowProductionVariants",
                hint="a shadow test cannot have a multi-model endpoint",
            )
        if self.config.asynchronous is not None:
            raise InvalidInput(
                "AsyncInferenceConfig goes with models of Mode SingleModel alone",
                field="AsyncInferenceConfig",
                hint="an asynchronous request cannot name a target model",
            )

    def model(self, name: str) -> Model:
        """Return the model of this name, which is one of its variants'."""
        return next(model for model in self.models if model.name == name)

    def retaining(self, former: Blueprint, retained: Collection[Retained]) -> Blueprint:
        """Return it with what is to be retained of the former one."""
        variants, fewest = former.config.every, self.config.fewest
        counts = {variant.name: max(fewest, variant.instance_count) for variant in variants}
        kept = self.changed(
            counts if Retained.COUNTS in retained else {},
            {v.name: v.weight for v in variants} if Retained.WEIGHTS in retained else {},
        )
        if Retained.CAPTURE not in retained:
            return kept
        return replace(kept, config=replace(kept.config, capture=former.config.capture))

    def same_fleet(self, other: Blueprint) -> bool:
        """Tell whether the other differs in weights and counts alone, so that one fleet runs both."""
        return _made(self.models) == _made(other.models) and _unweighted(
            self.config
        ) == _unweighted(replace(other.config, name=self.config.name))

    def changed(self, counts: Mapping[str, int], weights: Mapping[str, float]) -> Blueprint:
        """Return it with other counts and weights for the variants named."""

        def change(variant: Variant) -> Variant:
            return replace(
                variant,
                instance_count=counts.get(variant.name, variant.instance_count),
                weight=weights.get(variant.name, variant.weight),
            )

        return replace(
            self,
            config=replace(
                self.config,
                variants=tuple(map(change, self.config.variants)),
                shadows=tuple(map(change, self.config.shadows)),
            ),
        )


def _made(models: Collection[Model]) -> set[tuple[str, datetime]]:
    """Return which models they are: one that was made anew under its name is another one."""
    return {(model.name, model.created_at) for model in models}


def _unweighted(config: EndpointConfig) -> EndpointConfig:
    """Return the config without what can be changed while it serves."""

    def even(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
        ordered = sorted(variants, key=lambda variant: variant.name)
        return tuple(replace(each, instance_count=1, weight=1.0) for each in ordered)

    return replace(
        config,
        created_at=datetime.min.replace(tzinfo=UTC),
        variants=even(config.variants),
        shadows=even(config.shadows),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """An inference component as it is wanted: copies of one model on a variant's instances."""

    name: str
    endpoint_name: str
    variant_name: str
    #: As it was when the component was told to run it.
    model: Model
    #: Workers; 0: it keeps its name and answers that it has no capacity.
    copies: int
    created_at: datetime
    download_timeout: int | None = None
    startup_timeout: int | None = None
    #: Its Specification and more, as given, to be shown again.
    extras: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names.model_name(self.name, field="InferenceComponentName")
        names.endpoint_name(self.endpoint_name)
        names.endpoint_name(self.variant_name, field="VariantName")
        if isinstance(self.copies, bool) or self.copies < 0:
            raise InvalidInput(f"CopyCount {self.copies} is less than 0", field="CopyCount")
