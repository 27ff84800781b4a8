"""What CloudWatch counts the use of an endpoint for: its variants and inference components."""

from __future__ import annotations

from dataclasses import dataclass

from parkade.domain.series import SAGEMAKER, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A variant or an inference component."""

    endpoint_name: str
    name: str
    #: Whether it is a component; else a variant.
    component: bool = False
    #: Whether it is a shadow variant, whose traffic is nobody's use.
    shadow: bool = False
    asynchronous: bool = False

    @property
    def dimensions(self) -> dict[str, str]:
        """The dimensions of its series: without the variant's name there is none."""
        if self.component:
            return {"InferenceComponentName": self.name}
        return {"EndpointName": self.endpoint_name, "VariantName": self.name}

    def series(self, name: str) -> Series:
        """Return its series of this name."""
        return Series.of(SAGEMAKER, name, **self.dimensions)

    @property
    def use(self) -> Series:
        """Return the series that tells of its use; there are no Invocations of async ones.

        The third s is SageMaker's own.
        """
        return self.series("InvocationsProcesssed" if self.asynchronous else "Invocations")
