"""What all sections have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of server.yaml: unknown keys are refused, values are taken as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
