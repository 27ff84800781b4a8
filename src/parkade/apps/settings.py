"""Settings: the only reader of the environment and of server.yaml.

Every setting has its default, unit and reason here, once; `docs/configuration.md` is made from
these descriptions. Endpoints, routes and leases are data and are set through the API.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

import platformdirs
import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from parkade.apps.statefolder import StatePaths
from parkade.domain.errors import InvalidInput
from parkade.domain.lease import LeaseRules
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Variables that a worker inherits; everything else of Parkade's environment stays outside.
WORKER_VARIABLES = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip
WORKER_PREFIXES = ("LC_", "PIP_", "OMP_", "MKL_", "OPENBLAS_")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Limits(_Section):
    """What nobody may pass."""

    max_minutes_ahead: Annotated[float, Field(gt=0)] = Field(
        default=7 * 24 * 60,
        description="minutes. How far ahead of now a lease may be paid; a week, so that a "
        "forgotten endpoint costs a week at most.",
    )
    workers: Annotated[int, Field(ge=1)] = Field(
        default=64,
        description="processes. Instances of all endpoints together; one more is refused with "
        "ResourceLimitExceeded instead of exhausting the machine.",
    )
    body_bytes: Annotated[int, Field(ge=1)] = Field(
        default=6_291_456,
        description="bytes. Body of an invocation and of its answer; SageMaker's own limit.",
    )
    object_bytes: Annotated[int, Field(ge=1)] = Field(
        default=10 * 1024**3,
        description="bytes. One object put into the objects folder, model archives included.",
    )
    unpacked_bytes: Annotated[int, Field(ge=1)] = Field(
        default=50 * 1024**3,
        description="bytes. One model archive unpacked; stops archives that explode.",
    )
    rate: Annotated[float, Field(gt=0)] = Field(
        default=10_000,
        description="requests a second of one token that are admitted for long; API Gateway's "
        "default.",
    )
    burst: Annotated[int, Field(ge=1)] = Field(
        default=5_000,
        description="requests of one token that are admitted at once; API Gateway's default.",
    )
    waiting: Annotated[int, Field(ge=0)] = Field(
        default=1_000,
        description="requests. How many may wait for a free worker of one endpoint; one more is "
        "answered 503, so that a slow model cannot fill the gateway's memory.",
    )
    model_seconds: Annotated[float, Field(gt=0)] = Field(
        default=60,
        description="seconds. Time a model has to answer; SageMaker's own limit.",
    )
    startup_seconds: Annotated[float, Field(gt=0)] = Field(
        default=240,
        description="seconds. Time a worker has from its start to its first good /ping; "
        "SageMaker's own limit.",
    )
    grace_seconds: Annotated[float, Field(gt=0)] = Field(
        default=30,
        description="seconds. Time between SIGTERM and SIGKILL of a worker; SageMaker's own.",
    )
    log_bytes: Annotated[int, Field(ge=4096)] = Field(
        default=20 * 1024**2,
        description="bytes. One worker's log file; above it the file moves to its one older copy.",
    )
    execution_hours: Annotated[float, Field(gt=0)] = Field(
        default=24,
        description="hours. How long a finished execution can be described, and a finished "
        "asynchronous request is kept; then it is deleted. Its answer stays.",
    )


class Capture(_Section):
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


class MultiModel(_Section):
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


class Warnings(_Section):
    """Word to people before an endpoint stops."""

    minutes: list[Annotated[float, Field(gt=0)]] = Field(
        default=[10, 2],
        description="minutes before expiry at which a warning is given: an event, a log line, "
        "and the webhook if there is one. An empty list turns warnings off.",
    )
    webhook: Annotated[str, Field(pattern=r"^https?://.+")] | None = Field(
        default=None,
        description="URL. Receives every notice as a JSON POST; 5 s to answer, three tries.",
    )


class ImageSetting(_Section):
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
    return _BY_NAME if isinstance(given, str) else _BY_COMMAND


#: Which of its forms a player is given in; pydantic names them in the places of errors.
_BY_NAME, _BY_COMMAND = "(name)", "(command)"
#: What plays an image.
Player: TypeAlias = Annotated[
    Annotated[Literal["script", "multi"], Tag(_BY_NAME)]
    | Annotated[ImageSetting, Tag(_BY_COMMAND)],
    Discriminator(_form),
]


class ServerFile(_Section):
    """server.yaml: the settings of the server alone."""

    images: dict[str, Player] = Field(
        default={},
        description="image name pattern (`*` and `?`) to the container that serves it; looked up "
        "before the built-in names of the public deep learning images. `script` is the container "
        "that runs code/inference.py, of one model or, where its Mode is MultiModel, of many; "
        "`multi` the latter alone; a mapping with `command` is a program of this machine, see "
        "docs/models.md.",
    )
    capture: Capture = Capture()
    topics: dict[str, Annotated[str, Field(pattern=r"^https?://.+")]] = Field(
        default={},
        description="topic name (the last part of its ARN) to the URL that its messages are posted "
        "to, as SNS posts them; 5 s to answer, three tries. Messages for all other topics are "
        "written to topics/NAME in the state folder.",
    )
    limits: Limits = Limits()
    multi_model: MultiModel = MultiModel()
    initial_provision_minutes: Annotated[float, Field(gt=0)] = Field(
        default=30,
        description="minutes. A new lease, or a started endpoint, that names none; the seed's "
        "default.",
    )
    warnings: Warnings = Warnings()
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] = Field(
        default="us-east-1",
        description="name of the AWS region that this server says it is: in ARNs, and in what "
        "`parkade env --aws` prints. Signatures may name any.",
    )
    unmetered: Literal["warn", "adopt", "refuse"] = Field(
        default="warn",
        description="what is done about an endpoint that runs without a lease: `warn` leaves it "
        "alone and says so; `adopt` gives it a lease of initial_provision_minutes; `refuse` warns, "
        "and lets SageMaker's API create none.",
    )

    def lease_rules(self) -> LeaseRules:
        """Return the rules that leases live under."""
        return LeaseRules(
            max_ahead=timedelta(minutes=self.limits.max_minutes_ahead),
            initial=timedelta(minutes=self.initial_provision_minutes),
            adopts=self.unmetered == "adopt",
            warnings=tuple(
                timedelta(minutes=m) for m in sorted(set(self.warnings.minutes), reverse=True)
            ),
        )


def read_server_file(path: Path | None) -> ServerFile:
    """Read server.yaml; None, or an empty file, gives the defaults.

    Raises InvalidInput that names the file and every unusable key, with a suggestion.
    """
    if path is None:
        return ServerFile()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read: {error.strerror}", field="config", hint="check --config"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is not YAML: {error}", field="config") from error
    if content is None:
        return ServerFile()
    try:
        return ServerFile.model_validate(content)
    except ValidationError as error:
        raise InvalidInput(f"{path}: {_explain(error)}", field="config") from error


def _explain(error: ValidationError) -> str:
    return "; ".join(_explain_one(dict(each)) for each in error.errors(include_url=False))


def _explain_one(error: dict[str, Any]) -> str:
    place = [str(part) for part in error["loc"] if part not in {_BY_NAME, _BY_COMMAND}]
    where = ".".join(place)
    if error["type"] != "extra_forbidden":
        return f"{where or 'the file'}: {error['msg'].removeprefix('Value error, ')}"
    known = _known_keys(error["loc"][:-1])
    hint = suggestion(place[-1], known) or "known are " + ", ".join(sorted(known))
    return f"unknown setting {where}: {hint}"


def _known_keys(parents: tuple[Any, ...]) -> list[str]:
    if _BY_COMMAND in parents:
        return list(ImageSetting.model_fields)
    model: Any = ServerFile
    for parent in parents:
        model = model.model_fields[parent].annotation
    return list(model.model_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server process is started with."""

    paths: StatePaths
    #: The file given with --config; None: server.yaml of the state folder, if it is there.
    config: Path | None = None
    auth: bool = True
    time_scale: float = 1.0
    cache: Path = Path()
    worker_environment: tuple[tuple[str, str], ...] = ()

    def read(self) -> ServerFile:
        """Read the settings file as it is now. Raises InvalidInput."""
        default = self.paths.server_file if self.paths.server_file.exists() else None
        return read_server_file(self.config or default)


def state_paths(
    state: Path | None = None, environment: Mapping[str, str] | None = None
) -> StatePaths:
    """Return the state folder: the one given, or PARKADE_STATE, or the platform's for users."""
    environment = os.environ if environment is None else environment
    chosen = state or environment.get("PARKADE_STATE") or platformdirs.user_data_path("parkade")
    return StatePaths(state=Path(chosen).expanduser().absolute())


def server_settings(
    *,
    state: Path | None = None,
    config: Path | None = None,
    auth: bool = True,
    time_scale: float = 1.0,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings of a server process, with the environment read once."""
    environment = os.environ if environment is None else environment
    inherited = {
        name: value
        for name, value in environment.items()
        if name in WORKER_VARIABLES or name.startswith(WORKER_PREFIXES)
    }
    return Settings(
        paths=state_paths(state, environment),
        config=config.expanduser().absolute() if config else None,
        auth=auth,
        time_scale=time_scale,
        cache=platformdirs.user_cache_path("parkade"),
        worker_environment=tuple(sorted(inherited.items())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where the CLI finds its server, and as whom."""

    url: str
    token: str


def client_settings(
    paths: StatePaths, environment: Mapping[str, str] | None = None
) -> ClientSettings:
    """Return URL and token: from the environment, else from the state folder.

    The token is empty where neither has one; a server with --no-auth asks for none.
    """
    environment = os.environ if environment is None else environment
    return ClientSettings(
        url=environment.get("PARKADE_URL")
        or _first_line(paths.url_file)
        or "http://127.0.0.1:8700",
        token=environment.get("PARKADE_TOKEN") or _first_line(paths.admin_token),
    )


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, PermissionError):
        return ""
