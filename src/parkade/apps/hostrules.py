"""What server.yaml means to the host."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.runtime import images
from parkade.runtime.rules import HostRules, Patience, Reserve

if TYPE_CHECKING:
    from parkade.apps.sections.hosting import ImageSetting
    from parkade.apps.serverfile import ServerFile


def host_rules(file: ServerFile) -> HostRules:
    """Return the host's rules as the file has them."""
    limits = file.limits
    return HostRules(
        images={pattern: _player(found) for pattern, found in file.images.items()},
        workers=limits.workers,
        unpacked_bytes=limits.unpacked_bytes,
        log_bytes=limits.log_bytes,
        patience=Patience(
            startup=timedelta(seconds=limits.startup_seconds),
            grace=timedelta(seconds=limits.grace_seconds),
            silence=timedelta(seconds=limits.model_seconds + 10),
        ),
        reserve=Reserve(processes=file.standby.processes, free_percent=file.standby.free_percent),
    )


def _player(found: str | ImageSetting) -> str | images.ImageCommand:
    if isinstance(found, str):
        return found
    return images.ImageCommand(
        command=tuple(found.command),
        listen=images.Listen(found.listen),
        health=found.health,
        environment=found.environment,
    )
