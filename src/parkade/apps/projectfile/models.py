"""`models`: what is served."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from parkade.apps.projectfile.base import Address, Section
from parkade.apps.projectfile.references import TextOrReference

Environment = dict[Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], TextOrReference]


class Data(Section):
    """Where the files of a container are: a folder, an archive, or an object that is there."""

    source: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="folder of the model; a relative path begins at the folder of parkade.yaml. It "
        "is packed and stored under a key that its content gives.",
    )
    archive: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="packed model (a .tar.gz), stored under a key that its content gives.",
    )
    data: Address | None = Field(
        default=None,
        description="s3:// address of a packed model that is stored already; with `multi_model`, "
        "the prefix of many.",
    )
    environment: Environment = Field(
        default={},
        description="variables of the container: a text, or a reference to a secret.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = [name for name in PLACES if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other: give one of them")
        return self


#: The keys that say where a container's files are.
PLACES = ("source", "archive", "data")
_Image = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^\S+$")]


class ContainerSetting(Data):
    """One container of a pipeline, which requests go through in series."""

    image: _Image = Field(description="container image; its name chooses the container.")
    hostname: Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")] | None = Field(
        default=None, description="name of the container within the pipeline."
    )


class Embedded(Data):
    """What plays a model of AWS's where there is none: on one machine."""

    image: _Image = Field(description="container image; its name chooses the container.")


class BuiltImage(Section):
    """An image of one's own: built of a folder, and pushed to the account's registry."""

    folder: Annotated[str, Field(min_length=1)] = Field(
        description="folder with a Dockerfile; a relative path begins at the folder of "
        "parkade.yaml. It is built where there is a Docker engine; on AWS alone."
    )


def _form(given: object) -> str:
    return NOT_EMBEDDED if isinstance(given, bool) else PLAYED


def _image(given: object) -> str:
    return BUILT if isinstance(given, dict | BuiltImage) else BY_ADDRESS


NOT_EMBEDDED, PLAYED = "(false)", "(model)"
BY_ADDRESS, BUILT = "(address)", "(folder)"


class ModelSetting(Data):
    """One model. Its name where it runs is derived from its content."""

    image: (
        Annotated[
            Annotated[_Image, Tag(BY_ADDRESS)] | Annotated[BuiltImage, Tag(BUILT)],
            Discriminator(_image),
        ]
        | None
    ) = Field(
        default=None,
        description="container image; its name chooses the container: `pytorch-inference`, or the "
        "address of a deep learning image; or the folder that it is built of.",
    )
    multi_model: bool = Field(
        default=False, description="whether `data` is the prefix of many models in one container."
    )
    caches: bool = Field(
        default=True, description="multi-model: whether a loaded model stays after the call."
    )
    containers: Annotated[list[ContainerSetting], Field(min_length=2, max_length=15)] | None = (
        Field(default=None, description="2 to 15 containers that requests go through in series.")
    )
    direct: bool = Field(
        default=False,
        description="pipeline: whether each request goes to the one container that it names.",
    )
    jumpstart: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        default=None,
        description="id of a JumpStart model, of its newest version, or of another one: `ID@2.*`; on "
        "AWS alone.",
    )
    accept_eula: bool = Field(
        default=False,
        description="with `jumpstart`: whether you accept the terms that the model is used under.",
    )
    isolated: bool = Field(
        default=False,
        description="on AWS, whether its containers have no way to the network; one machine does "
        "not wall them in.",
    )
    package: Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:sagemaker:\S+$")] | None = Field(
        default=None, description="ARN of a model package; on AWS alone."
    )
    embedded: (
        Annotated[
            Annotated[Literal[False], Tag(NOT_EMBEDDED)] | Annotated[Embedded, Tag(PLAYED)],
            Discriminator(_form),
        ]
        | None
    ) = Field(
        default=None,
        description="with `jumpstart`, `package` or `image.folder`: what plays the model on one "
        "machine; false: the model, its endpoints and what refers to them are left out there. "
        "Without it, one machine refuses the model by name.",
    )

    @property
    def aws_alone(self) -> str:
        """What of it there is on AWS alone: `jumpstart`, `package`, `image.folder`; empty: nothing."""
        if isinstance(self.image, BuiltImage):
            return "image.folder"
        return "jumpstart" if self.jumpstart else "package" if self.package else ""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        place = next((name for name in PLACES if getattr(self, name) is not None), "")
        kinds = [name for name in ("containers", "jumpstart", "package") if getattr(self, name)]
        if len(kinds) > 1:
            raise ValueError(f"{' and '.join(kinds)} exclude each other: give one of them")
        if kinds and place:
            raise ValueError(f"{place} does not go with {kinds[0]}")
        if self.containers and (self.image or self.environment):
            raise ValueError("image and environment are those of each of the containers")
        if not kinds and self.image is None:
            raise ValueError(
                "image is missing: give the container image, such as pytorch-inference"
            )
        if self.embedded is not None and not self.aws_alone:
            raise ValueError(
                "embedded goes with jumpstart, package or image.folder: this model runs anywhere"
            )
        if self.accept_eula and not self.jumpstart:
            raise ValueError("accept_eula goes with jumpstart")
        if self.direct and not self.containers:
            raise ValueError("direct goes with containers")
        return self._of_many()

    def _of_many(self) -> Self:
        if self.multi_model and self.data is None:
            raise ValueError("multi_model needs data: the s3:// prefix of the models")
        if not self.multi_model and not self.caches:
            raise ValueError("caches goes with multi_model")
        return self
