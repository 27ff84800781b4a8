"""The forms of models."""

from datetime import datetime

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.domain.catalog import Container, Model

#: The domain's spelling of these fields, and ours.
SPELLINGS = {
    "ModelName": "name",
    "Image": "image",
    "ModelDataUrl": "data_url",
    "Environment": "environment",
}


class ModelForm(Form):
    """A new model."""

    name: str = Field(examples=["falcon-model"])
    image: str = Field(
        description="The image of its container; embedded, its name chooses the container.",
        examples=["pytorch-inference"],
    )
    data_url: str = Field(
        "",
        description="Its packed data; empty where the container brings its own.",
        examples=["s3://models/falcon.tar.gz"],
    )
    environment: dict[str, str] = Field({}, examples=[{"SAGEMAKER_PROGRAM": "inference.py"}])

    def model(self, now: datetime) -> Model:
        """Return the model. Raises InvalidInput in the domain's spelling."""
        return Model(
            name=self.name,
            containers=(
                Container(image=self.image, data_url=self.data_url, environment=self.environment),
            ),
            created_at=now,
        )


class ModelView(View):
    """A model."""

    name: str
    image: str
    data_url: str
    environment: dict[str, str]
    created_at: datetime

    @classmethod
    def of(cls, model: Model) -> "ModelView":
        """Write a model."""
        return cls(
            name=model.name,
            image=model.primary.image,
            data_url=model.primary.data_url,
            environment=dict(model.primary.environment),
            created_at=model.created_at,
        )


class ModelList(View):
    """One page of models."""

    models: list[ModelView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
    unreadable: dict[str, str] = Field(
        description="Models whose record is damaged and left alone, with the reason."
    )
