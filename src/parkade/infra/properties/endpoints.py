"""Endpoints of a project as AWS::SageMaker::EndpointConfig and AWS::SageMaker::Endpoint have them.

What a part wants is read by the same code that reads it when a project is applied, so that both
refuse the same and mean the same. A config is called by its content: changing it makes another
one, which the endpoint is updated to before the former goes, and nobody renames by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms.deployments import described
from parkade.domain.deploy import capturing, naming, queueing, variants
from parkade.domain.names import s3_prefix
from parkade.domain.project import endpoint as endpoints
from parkade.infra.properties.models import tagged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.domain.catalog import EndpointConfig
    from parkade.domain.project.endpoint import Wanted
    from parkade.domain.project.part import Part

CONFIG_TYPE = "AWS::SageMaker::EndpointConfig"
ENDPOINT_TYPE = "AWS::SageMaker::Endpoint"
#: What AWS spells with capitals where payloads, as the seed has it, begin small.
_PRODUCTION = "ProductionVariants"


@dataclass(frozen=True)
class Described:
    """One endpoint of a project, as its stack makes it."""

    part: Part

    @cached_property
    def wanted(self) -> Wanted:
        """What the part wants. Raises InvalidInput."""
        return endpoints.read(self.part)

    @cached_property
    def content(self) -> EndpointConfig:
        """The config that it begins with."""
        config = naming.wanted_content(self.wanted.order, None)
        naming.require_bounds(self.wanted.order, config)
        return config

    @property
    def name(self) -> str:
        """What the endpoint is called."""
        return self.part.name

    @cached_property
    def config_name(self) -> str:
        """What its config is called: by what is in it, names of models included."""
        return naming.config_name(self.name, self.content, ())

    @property
    def metered(self) -> bool:
        """Whether it has a lease, so that the meter makes the endpoint and ends it."""
        return self.wanted.order.metered

    @property
    def stands(self) -> bool:
        """Whether the stack itself makes the endpoint: it runs without a lease."""
        return self.wanted.deploy and not self.metered

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models of all its variants, each once."""
        return tuple(dict.fromkeys(each.model_name for each in self.content.every))

    @property
    def asynchronous(self) -> bool:
        """Whether it answers to a bucket."""
        return self.content.asynchronous is not None

    def config(self) -> dict[str, Any]:
        """Return the properties of its config."""
        config = self.content
        told: dict[str, Any] = {
            "EndpointConfigName": self.config_name,
            _PRODUCTION: [variants.written(each) for each in config.variants],
        }
        if config.shadows:
            told[variants.SHADOW] = [variants.written(each) for each in config.shadows]
        if config.capture is not None:
            told[capturing.KEY] = capturing.written(config.capture)
        if config.asynchronous is not None:
            told[queueing.KEY] = queueing.written(config.asynchronous)
        return told | tagged(self.wanted.order.all_tags)

    def endpoint(self) -> dict[str, Any]:
        """Return the properties of the endpoint itself.

        Instances that scaling has added stay through an update; weights are those of the file.
        """
        told: dict[str, Any] = {
            "EndpointName": self.name,
            "EndpointConfigName": self.config_name,
        }
        strategy = self.wanted.order.strategy
        if not strategy.plain:
            told["DeploymentConfig"] = described(strategy)
        if any(each is not None for each in self.wanted.order.scaling.values()):
            told |= {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [
                    {"VariantPropertyType": "DesiredWeight"},
                    {"VariantPropertyType": "DataCaptureConfig"},
                ],
            }
        return told | tagged(self.wanted.order.all_tags)

    def written_to(self) -> Iterator[tuple[str, str]]:
        """Go through the buckets and prefixes that it writes to: captures, answers, failures."""
        capture, queue = self.content.capture, self.content.asynchronous
        addresses = [capture.destination] if capture else []
        if queue is not None:
            addresses += [queue.output, *filter(None, [queue.failure])]
        for address in dict.fromkeys(addresses):
            yield s3_prefix(address)

    def topics(self) -> tuple[str, ...]:
        """Return the topics that it tells of asynchronous answers and failures."""
        queue = self.content.asynchronous
        given = (queue.success_topic, queue.error_topic) if queue else ()
        return tuple(dict.fromkeys(filter(None, given)))
