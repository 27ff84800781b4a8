"""`pipeline`: the steps from a push to what serves."""

from typing import Annotated

from pydantic import Field

from parkade.apps.projectfile.base import Key, Section


class PipelineSetting(Section):
    """What `parkade pipeline run` and CI do."""

    branch: Annotated[str, Field(min_length=1)] = Field(
        default="main", description="branch whose pushes are delivered."
    )
    repository: str | None = Field(default=None, description="repository, for AWS CodePipeline.")
    test: list[Key] | None = Field(
        default=None, description="keys of the models whose cases are run; null: all with a folder."
    )
    tester: bool = Field(default=True, description="whether the tester runs before promoting.")
