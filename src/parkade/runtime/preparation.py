"""What the workers of one variant are started from: model data, command, environment."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.errors import StartFailed
from parkade.domain.plan import duration
from parkade.runtime import images, leftovers
from parkade.runtime.environments import Halt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from parkade.runtime.environments import ScriptCommand
    from parkade.runtime.premises import Container, Premises

#: Of Parkade's own environment a worker gets what programs need to run at all; never a secret.
_INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|LD_LIBRARY_PATH|DYLD_.*"
    r"|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|CUDA_.*|NVIDIA_.*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that is common to the workers of a variant."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    model_dir: Path


class Preparation:
    """Prepares a variant when its first worker is started, once for all of them."""

    def __init__(
        self,
        premises: Premises,
        endpoint_name: str,
        model_name: Callable[[], str],
        *,
        folder: Path | None,
    ) -> None:
        self._premises = premises
        self._endpoint_name = endpoint_name
        #: Tells the variant's model; may raise what the store raises.
        self._model_name = model_name
        #: The data that adopted workers use: others of the variant are to use the same.
        self._folder = folder
        self._lock = asyncio.Lock()
        self._launch: Launch | None = None

    async def launch(self, log: Path) -> Launch:
        """Return what to start; the log takes what building it says.

        Raises ModelNotFound, Unreadable, ObjectNotFound, InvalidInput, BadArchive, StartFailed,
        OSError; the next call tries again.
        """
        async with self._lock:
            if self._launch is None:
                limit = self._premises.rules().patience.preparation
                try:
                    async with asyncio.timeout(limit.total_seconds()):
                        self._launch = await self._prepare(log)
                except TimeoutError as error:
                    raise StartFailed(
                        f"its preparation took longer than {duration(limit)}"
                    ) from error
            return self._launch

    async def _prepare(self, log: Path) -> Launch:
        premises, rules = self._premises, self._premises.rules()
        model = premises.store.model(self._model_name())
        container = premises.containers[images.kind(model.image, rules.images, premises.containers)]
        if self._folder is None or not self._folder.is_dir():
            self._folder = await premises.data.fetch(
                model.data_url, self._endpoint_name, limit=rules.unpacked_bytes
            )
        command = await self._command(container, self._folder, log)
        return Launch(
            command=tuple(command.argv_prefix),
            environment={
                **inherited(premises.base_environment),
                "SAGEMAKER_PROGRAM": "inference.py",
                **model.environment,
                **command.env,
                "SAGEMAKER_SUBMIT_DIRECTORY": str(self._folder / "code"),
                leftovers.MODEL_DIR: str(self._folder),
                leftovers.STATE_ID: premises.state_id,
            },
            model_dir=self._folder,
        )

    async def _command(self, container: Container, folder: Path, log: Path) -> ScriptCommand:
        log.parent.mkdir(parents=True, exist_ok=True)
        halt = Halt()
        preparing = asyncio.ensure_future(
            asyncio.to_thread(
                container, folder, cache=self._premises.paths.cache, log=log, halt=halt
            )
        )
        try:
            return await asyncio.shield(preparing)
        except asyncio.CancelledError:
            halt.halt()
            await asyncio.gather(preparing, return_exceptions=True)
            raise


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a worker may see of the environment."""
    return {key: value for key, value in environment.items() if _INHERITED.fullmatch(key)}
