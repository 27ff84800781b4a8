"""The forms of endpoint configs."""

from datetime import datetime

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.domain.catalog import EndpointConfig, Variant

#: The domain's spelling of these fields, and ours.
SPELLINGS = {
    "EndpointConfigName": "name",
    "ProductionVariants": "variants",
    "VariantName": "variants.name",
    "ModelName": "variants.model_name",
    "InstanceType": "variants.instance_type",
    "InitialInstanceCount": "variants.instance_count",
    "InitialVariantWeight": "variants.weight",
}


class VariantForm(Form):
    """One variant of a new endpoint config."""

    name: str = Field(examples=["blue"])
    model_name: str = Field(examples=["falcon-model"])
    instance_type: str = Field(
        "ml.c5.xlarge", description="Embedded it is a name only.", examples=["ml.c5.xlarge"]
    )
    instance_count: int = Field(
        1, strict=True, description="Embedded: the number of worker processes."
    )
    weight: float = Field(
        1.0, strict=True, description="Its share of the traffic is its weight by the sum."
    )


class ConfigForm(Form):
    """A new endpoint config."""

    name: str = Field(examples=["falcon-config"])
    variants: list[VariantForm]

    def config(self, now: datetime) -> EndpointConfig:
        """Return the endpoint config. Raises InvalidInput in the domain's spelling."""
        return EndpointConfig(
            name=self.name,
            variants=tuple(Variant(**each.model_dump()) for each in self.variants),
            created_at=now,
        )


class VariantView(View):
    """One variant of an endpoint config."""

    name: str
    model_name: str
    instance_type: str
    instance_count: int
    weight: float


class ConfigView(View):
    """An endpoint config."""

    name: str
    variants: list[VariantView]
    created_at: datetime

    @classmethod
    def of(cls, config: EndpointConfig) -> "ConfigView":
        """Write an endpoint config."""
        return cls(
            name=config.name,
            variants=[
                VariantView(
                    name=each.name,
                    model_name=each.model_name,
                    instance_type=each.instance_type,
                    instance_count=each.instance_count,
                    weight=each.weight,
                )
                for each in config.variants
            ],
            created_at=config.created_at,
        )


class ConfigList(View):
    """One page of endpoint configs."""

    configs: list[ConfigView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
    unreadable: dict[str, str] = Field(
        description="Endpoint configs whose record is damaged and left alone, with the reason."
    )
