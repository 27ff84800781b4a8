"""What the workers of one container of a variant are started from: data, command, environment."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError, StartFailed
from parkade.domain.spans import duration
from parkade.runtime import images, leftovers, modeldata, pings
from parkade.runtime.environments import Halt
from parkade.runtime.images import ImageCommand, Listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import timedelta
    from pathlib import Path

    from parkade.domain import catalog
    from parkade.runtime.environments import ScriptCommand
    from parkade.runtime.premises import Container, Premises

#: Of Parkade's own environment a worker gets what programs need to run at all; never a secret.
_INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|LD_LIBRARY_PATH|DYLD_.*"
    r"|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|CUDA_.*|NVIDIA_.*"
)

#: What our own containers are told, in the words of an `ImageCommand`.
_ARGUMENTS = ("--socket", "{socket}", "--model-dir", "{model_dir}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that the workers have in common. Names in braces stand for what each has of its own."""

    command: tuple[str, ...]
    #: What follows the command, where that can be told later as well.
    arguments: tuple[str, ...] = ()
    #: Whether it can, and whether the worker says that it listens.
    talks: bool = False
    #: What they see of Parkade's environment, and defaults.
    inherited: Mapping[str, str]
    #: With names in braces.
    templates: Mapping[str, str] = field(default_factory=dict)
    #: The model's, and what it cannot change.
    environment: Mapping[str, str]
    listen: Listen = Listen.SOCKET
    health: str = pings.PATH
    #: None: many models, for which each worker has a folder of its own.
    model_dir: Path | None


class Preparation:
    """Prepares a container when its first worker is started, once for all of them."""

    def __init__(
        self,
        premises: Premises,
        container: Callable[[], catalog.Container],
        *,
        user: str,
        folder: Path | None = None,
        download: timedelta | None = None,
    ) -> None:
        """Take what it goes by.

        `container` tells what is to run, and may raise what the store raises; `user` holds the
        data; `folder` has the data that adopted workers use, and others of the variant are to
        use; `download` limits how long data is waited for.
        """
        self._premises = premises
        self._container = container
        self._user = user
        self._folder = folder
        self._download = download
        self._lock = asyncio.Lock()
        self._launch: Launch | None = None

    async def launch(self, log: Path) -> Launch:
        """Return what to start; the log takes what building it says.

        Raises EndpointNotFound, Unreadable, ObjectNotFound, InvalidInput, BadArchive,
        StartFailed, OSError; the next call tries again.
        """
        async with self._lock:
            if self._launch is None:
                limit = self._premises.rules().patience.preparation
                async with _within(limit, "its preparation"):
                    self._launch = await self._prepare(log)
            return self._launch

    async def foresee(self, log: Path) -> Launch | None:
        """Return what is to be started, where its data is here; nothing is fetched for it."""
        # What is wrong is told when it is started.
        with suppress(ParkadeError, OSError):
            container = self._container()
            if not container.multi_model and await self._is_here(container):
                return await self.launch(log)
        return None

    async def _is_here(self, container: catalog.Container) -> bool:
        data = self._premises.data
        code = modeldata.submitted(container.environment)
        return await asyncio.to_thread(data.has, container.data_url, code)

    async def _prepare(self, log: Path) -> Launch:
        premises, rules = self._premises, self._premises.rules()
        container = self._container()
        player = images.player(
            container.image, rules.images, premises.containers, multi_model=container.multi_model
        )
        folder = None if container.multi_model else await self._data(container)
        if isinstance(player, ImageCommand):
            return self._by_command(player, container, folder)
        return await self._by_ours(premises.containers[player], container, folder, log)

    async def _data(self, container: catalog.Container) -> Path:
        premises = self._premises
        if self._folder is None or not self._folder.is_dir():
            async with _within(self._download, "the download of its model data"):
                self._folder = await premises.data.fetch(
                    container.data_url,
                    self._user,
                    limit=premises.rules().unpacked_bytes,
                    code_url=modeldata.submitted(container.environment),
                )
        return self._folder

    def _by_command(
        self, command: ImageCommand, container: catalog.Container, folder: Path | None
    ) -> Launch:
        many = {"SAGEMAKER_MULTI_MODEL": "true"} if container.multi_model else {}
        # Code of its own was unpacked already.
        code = modeldata.submitted(container.environment) if folder else ""
        submitted = {modeldata.SUBMITTED: f"{folder}/code"} if code else {}
        return Launch(
            command=command.command,
            inherited=inherited(self._premises.base_environment),
            templates={"SAGEMAKER_BASE_DIR": "{base_dir}", **command.environment},
            environment={**container.environment, **submitted, **many, **self._markers},
            listen=command.listen,
            health=command.health,
            model_dir=folder,
        )

    async def _by_ours(
        self, ours: Container, container: catalog.Container, folder: Path | None, log: Path
    ) -> Launch:
        premises = self._premises
        command = await self._command(
            ours, folder or premises.paths.models, log, container.environment
        )
        submitted = {modeldata.SUBMITTED: str(folder / "code")} if folder else {}
        return Launch(
            command=tuple(command.argv_prefix),
            arguments=_ARGUMENTS,
            talks=command.talks,
            inherited={
                **inherited(premises.base_environment),
                "SAGEMAKER_PROGRAM": "inference.py",
            },
            environment={
                **container.environment,
                **command.env,
                **submitted,
                **self._markers,
            },
            model_dir=folder,
        )

    @property
    def _markers(self) -> dict[str, str]:
        return {leftovers.STATE_ID: self._premises.state_id}

    async def _command(
        self, ours: Container, folder: Path, log: Path, environment: Mapping[str, str]
    ) -> ScriptCommand:
        log.parent.mkdir(parents=True, exist_ok=True)
        halt, cache = Halt(), self._premises.paths.cache
        preparing = asyncio.ensure_future(
            asyncio.to_thread(
                ours, folder, cache=cache, log=log, halt=halt, environment=environment
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


@asynccontextmanager
async def _within(limit: timedelta | None, what: str) -> AsyncIterator[None]:
    if limit is None:
        yield
        return
    try:
        async with asyncio.timeout(limit.total_seconds()):
            yield
    except TimeoutError as error:
        raise StartFailed(f"{what} took longer than {duration(limit)}") from error
