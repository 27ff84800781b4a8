"""server.yaml: the settings of the server alone, read and checked.

Every setting has its default, unit and reason here or in `sections/`, once; `docs/configuration.md`
is made from these descriptions. Endpoints, routes and leases are data and are set through the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import yaml
from pydantic import Field, ValidationError, model_validator

from parkade.apps import habits
from parkade.apps.sections.base import Section
from parkade.apps.sections.hosting import (
    BY_COMMAND,
    BY_NAME,
    Capture,
    ImageSetting,
    MultiModel,
    Player,
    Standby,
)
from parkade.apps.sections.limits import Limits
from parkade.apps.sections.money import Money
from parkade.apps.sections.monitor import Monitor
from parkade.apps.sections.outbox import Delivery, Links, Mail, SubscriberSetting
from parkade.apps.sections.upkeep import Keep, Maintain
from parkade.apps.sections.warnings import Warnings
from parkade.domain.errors import InvalidInput
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.domain.lease import LeaseRules

#: What the name of an AWS region looks like.
REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"


class ServerFile(Section):
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
    standby: Standby = Standby()
    initial_provision_minutes: Annotated[float, Field(gt=0)] = Field(
        default=30,
        description="minutes. A new lease, or a started endpoint, that names none; the seed's "
        "default.",
    )
    warnings: Warnings = Warnings()
    maintain: Maintain = Maintain()
    keep: Keep = Keep()
    monitor: Monitor = Monitor()
    money: Money = Money()
    mail: Mail | None = None
    subscribers: list[SubscriberSetting] = Field(default=[])
    outbox: Delivery = Delivery()
    links: Links = Links()
    region: Annotated[str, Field(pattern=REGION)] = Field(
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
        return habits.lease_rules(self)

    @model_validator(mode="after")
    def _names_of_subscribers(self) -> ServerFile:
        names = [each.name for each in self.subscribers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"subscribers has the name {name!r} twice")
        return self


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
    return server_file(content, str(path), field="config")


def server_file(content: object, place: str, *, field: str, hint: str = "") -> ServerFile:
    """Return the settings of a file's content, which stands in some place.

    Raises InvalidInput that names the place and every unusable key, with a suggestion.
    """
    try:
        return ServerFile.model_validate(content)
    except ValidationError as error:
        raise InvalidInput(f"{place}: {_explain(error)}", field=field, hint=hint) from error


def _explain(error: ValidationError) -> str:
    return "; ".join(_explain_one(dict(each)) for each in error.errors(include_url=False))


def _explain_one(error: dict[str, Any]) -> str:
    place = [str(part) for part in error["loc"] if part not in {BY_NAME, BY_COMMAND}]
    where = ".".join(place)
    if error["type"] != "extra_forbidden":
        return f"{where or 'the file'}: {error['msg'].removeprefix('Value error, ')}"
    known = _known_keys(error["loc"][:-1])
    hint = suggestion(place[-1], known) or "known are " + ", ".join(sorted(known))
    return f"unknown setting {where}: {hint}"


def _known_keys(parents: tuple[Any, ...]) -> list[str]:
    if BY_COMMAND in parents:
        return list(ImageSetting.model_fields)
    model: Any = ServerFile
    for parent in parents:
        if not isinstance(parent, int):  # the number of an entry of a list
            model = _section(model.model_fields[parent].annotation)
    return list(model.model_fields)


def _section(annotation: Any) -> Any:
    """Return the section that a setting holds: it alone, or none, or in a list."""
    return next(
        (each for each in get_args(annotation) if hasattr(each, "model_fields")), annotation
    )
