"""`images`, `capture`, `multi_model`, `standby`: how endpoints are run here."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from parkade.apps.sections.base import Section


class Capture(Section):
    """Data capture: requests and answers that endpoints' configs say are written down."""

    flush_seconds: Annotated[float, Field(gt=0)] = Field(
        default=60,
        description="seconds. The oldest a captured call becomes before its file is put into the "
        "objects folder; files are also put there at 4 MiB, and when the hour is over.",
    )
    disk_percent: Annotated[float, Field(gt=0, le=100)] = Field(
        default=95,
        description="percent. A disk (of the objects folder) that is fuller turns data capture "
        "off, with an event, until there is room. SageMaker stops at high disk use, too, and advises to stay "
        "below 75; a machine of one's own is often fuller. 100 leaves it on until nothing more can "
        "be written.",
    )


class MultiModel(Section):
    """Endpoints of many models: `Mode: MultiModel`."""

    memory_bytes: Annotated[int, Field(ge=1)] = Field(
        default=1024**3,
        description="bytes. Memory of one instance's container, with all models that it has "
        "loaded; PARKADE_MODELS_MEMORY_MB in a model's Environment goes before it. Where a model "
        "does not fit, the one that was unused for longest gives way. Told to workers when they "
        "start; a container of your own has its own limit.",
    )
    removed_seconds: Annotated[float, Field(gt=0)] = Field(
        default=10,
        description="seconds. In which the loaded copies of a model go whose object was deleted, "
        "and those of a replaced object are loaded anew.",
    )
    idle_minutes: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="minutes. A model that nobody asked for so long is unloaded; without it, "
        "models stay as long as there is room. `parkade models ENDPOINT --ttl` sets one model's.",
    )
    spread_at: Annotated[int, Field(ge=1)] = Field(
        default=4,
        description="requests. So many under way with a model in each instance that has it, and "
        "it is loaded in one more.",
    )
    loads: Annotated[int, Field(ge=1)] = Field(
        default=4,
        description="archives of models that are fetched and unpacked at a time; read when "
        "Parkade starts.",
    )


class Standby(Section):
    """Processes that have imported what a model needs before it is started."""

    processes: Annotated[int, Field(ge=0)] = Field(
        default=2,
        description="processes. So many at most wait to become workers, one for each set of "
        "packages that the models started last have imported; each takes the memory that a worker "
        "has after its imports. They do not count as workers. 0: every worker is started anew.",
    )
    free_percent: Annotated[float, Field(ge=0, lt=100)] = Field(
        default=25,
        description="percent. None is started while less of the machine's memory than this is "
        "available; and where memory runs out, they go before any worker.",
    )


class ImageSetting(Section):
    """A program of this machine that plays a container image."""

    command: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)] = Field(
        description="words of the command line. `{port}` or `{socket}`, `{model_dir}`, "
        "`{models_dir}`, `{work_dir}` and `{base_dir}` stand for what each worker gets.",
    )
    listen: Literal["port", "socket"] = Field(
        default="port",
        description="what it answers on: a port of 127.0.0.1, told as `{port}` and as "
        "SAGEMAKER_BIND_TO_PORT, or a unix socket, told as `{socket}`.",
    )
    health: Annotated[str, Field(pattern=r"^/[!-~]*$")] = Field(
        default="/ping", description="path that answers 200 to GET once requests can be served."
    )
    environment: dict[Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], str] = Field(
        default={},
        description="variables beside those of the model, which go before them; may use the same "
        "names in braces.",
    )

    @model_validator(mode="after")
    def _tells_its_socket(self) -> Self:
        words = [*self.command, *self.environment.values()]
        if self.listen == "socket" and not any("{socket}" in word for word in words):
            raise ValueError("listen is socket, but neither command nor environment has {socket}")
        return self


def _form(given: object) -> str:
    return BY_NAME if isinstance(given, str) else BY_COMMAND


#: Which of its forms a player is given in; pydantic names them in the places of errors.
BY_NAME, BY_COMMAND = "(name)", "(command)"
#: What plays an image.
Player: TypeAlias = Annotated[
    Annotated[Literal["script", "multi"], Tag(BY_NAME)] | Annotated[ImageSetting, Tag(BY_COMMAND)],
    Discriminator(_form),
]
