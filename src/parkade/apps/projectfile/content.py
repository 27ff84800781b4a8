"""parkade.yaml at one stage: what is left of the file once its overlays are merged."""

from typing import Annotated

from pydantic import Field

from parkade.apps.projectfile.base import Amount, BucketName, Key, Section, Tags
from parkade.apps.projectfile.endpoints import EndpointSetting
from parkade.apps.projectfile.limits import LimitsSetting
from parkade.apps.projectfile.models import ModelSetting
from parkade.apps.projectfile.monitor import MonitorSetting
from parkade.apps.projectfile.pipeline import PipelineSetting
from parkade.apps.projectfile.routes import RouteSetting
from parkade.apps.projectfile.tester import TesterSetting
from parkade.apps.projectfile.variants import InstanceType
from parkade.domain.project.part import prefix_of

_ROUTE = r"^/[a-zA-Z0-9]([._\-a-zA-Z0-9]*[a-zA-Z0-9])?$"
RoutePath = Annotated[str, Field(pattern=_ROUTE, max_length=64)]


class Content(Section):
    """A project at one stage."""

    project: Key = Field(description="name of the project.", examples=["TextClassification"])
    stage: Key | None = Field(
        default=None,
        description="which of `stages` is meant where none is named; the names of all parts begin "
        "with the project and it: `TextClassificationDemo`, or `TextClassification-prod`.",
        examples=["Demo"],
    )
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = Field(
        default=None, description="AWS account, in quotes; on AWS alone.", examples=["123456789012"]
    )
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] | None = Field(
        default=None, description="AWS region; on AWS alone.", examples=["us-east-1"]
    )
    profile: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="profile of the AWS configuration; on AWS alone."
    )
    bucket: BucketName | None = Field(
        default=None,
        description="bucket that archives of models go to; null: the names' prefix in lower case, "
        "and `-archive`.",
    )
    tags: Tags = Field(default={}, description="tags of all that carries tags.")
    models: dict[Key, ModelSetting] = Field(default={}, description="models by their keys.")
    endpoints: dict[Key, EndpointSetting] = Field(
        default={}, description="endpoints by their keys."
    )
    routes: dict[RoutePath, RouteSetting] = Field(default={}, description="routes by their paths.")
    monitor: MonitorSetting = Field(
        default=MonitorSetting(), description="what is watched, and who hears of it."
    )
    tester: TesterSetting | None = Field(default=None, description="the tester.")
    pipeline: PipelineSetting = Field(default=PipelineSetting(), description="delivery.")
    prices: dict[InstanceType, Amount] = Field(
        default={}, description="USD an hour by instance type, believed before the server's own."
    )
    limits: LimitsSetting = Field(default=LimitsSetting(), description="what it may become.")

    @property
    def prefix(self) -> str:
        """What the names of all parts begin with."""
        return prefix_of(self.project, self.stage or "")

    @property
    def owner(self) -> str | None:
        """Who pays for endpoints that name nobody: the project, where it has a budget of its own.

        None: whoever applies it.
        """
        budget = self.limits.budget
        return self.prefix if budget is not None and budget.owner is None else None

    @property
    def archives(self) -> str:
        """The bucket that archives go to."""
        return self.bucket or f"{self.prefix.lower()[:55].rstrip('-')}-archive"
