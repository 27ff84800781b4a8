"""What one worker has of its own: where it answers, its folders, its variables.

In an image's command, and in what its setting adds to the environment, names in braces stand for
it: `{port}` or `{socket}`, `{model_dir}`, `{models_dir}`, `{work_dir}`, `{base_dir}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.runtime import leftovers
from parkade.runtime.images import Listen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from parkade.runtime.premises import Premises
    from parkade.runtime.preparation import Launch


@dataclass(frozen=True, slots=True, kw_only=True)
class Furnished:
    """All that is needed to fork a worker."""

    address: str
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    talks: bool
    environment: Mapping[str, str]
    folder: Path


def socket_of(worker_id: str, premises: Premises) -> Path:
    """Return the path of the worker's unix socket, should it have one."""
    return premises.paths.sockets / f"{worker_id}.sock"


def folder_of(worker_id: str, premises: Premises) -> Path:
    """Return the worker's working folder."""
    return premises.paths.work / worker_id


def models_of(worker_id: str, premises: Premises) -> Path:
    """Return the folder for the models of a worker that takes many."""
    return folder_of(worker_id, premises) / "models"


def furnish(worker_id: str, launch: Launch, premises: Premises) -> Furnished:
    """Make the worker's folders and choose where it answers. Raises OSError, StartFailed."""
    folder, models = folder_of(worker_id, premises), models_of(worker_id, premises)
    folder.mkdir(parents=True, exist_ok=True)
    if launch.model_dir is None:
        models.mkdir(exist_ok=True)
    model = launch.model_dir or models
    names = {"model_dir": str(model), "models_dir": str(models), "work_dir": str(folder)}
    if launch.templates:
        names["base_dir"] = str(_base(folder, model, models))
    address, variables = _door(worker_id, launch, premises, names)
    return Furnished(
        address=address,
        command=tuple(_filled(word, names) for word in launch.command),
        arguments=tuple(_filled(word, names) for word in launch.arguments),
        talks=launch.talks,
        environment={
            **launch.inherited,
            **{key: _filled(value, names) for key, value in launch.templates.items()},
            **launch.environment,
            **variables,
            leftovers.INSTANCE_ID: worker_id,
            leftovers.MODEL_DIR: str(model),
            leftovers.HEALTH: launch.health,
            leftovers.ADDRESS: address,
        },
        folder=folder,
    )


def _door(
    worker_id: str, launch: Launch, premises: Premises, names: dict[str, str]
) -> tuple[str, dict[str, str]]:
    """Choose where it answers and name it; return it with the variables that tell of it."""
    if launch.listen is Listen.SOCKET:
        socket = socket_of(worker_id, premises)
        socket.unlink(missing_ok=True)
        names["socket"] = str(socket)
        return str(socket), {}
    block = premises.ports.take(worker_id)
    names["port"] = str(block.port)
    return block.address, {
        "SAGEMAKER_BIND_TO_PORT": str(block.port),
        "SAGEMAKER_SAFE_PORT_RANGE": block.spare,
    }


def _base(folder: Path, model: Path, models: Path) -> Path:
    """Make a folder that is laid out as a container's /opt/ml is."""
    base = folder / "ml"
    base.mkdir(exist_ok=True)
    for name, target in (("model", model), ("models", models)):
        link = base / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return base


def _filled(text: str, names: Mapping[str, str]) -> str:
    """Return the text with these names in braces replaced; other braces are its own."""
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text
