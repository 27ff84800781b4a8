"""What the host works with: its folders, and the limits and patience it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from parkade.runtime.images import ImageCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPaths:
    """The host's folders; each is made where it is missing."""

    #: Unpacked model data, a folder for each content: `<sha256>/`.
    models: Path
    #: Working folders of workers: `<id>/`.
    work: Path
    #: Logs of workers: `<endpoint>/<variant or component>-<id>.log`.
    logs: Path
    #: Unix sockets of workers, `<id>.sock`; about 100 characters are all there is.
    sockets: Path
    #: What containers keep across states, such as installed requirements; not the host's alone.
    cache: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the host waits for workers, in real time."""

    #: For model data and what it requires, before a worker is spawned (SageMaker: up to an hour).
    preparation: timedelta = timedelta(hours=1)
    #: From the spawn of a worker to its first healthy answer, unless its variant says otherwise
    #: (SageMaker: 4 minutes).
    startup: timedelta = timedelta(minutes=4)
    #: For one /ping of a worker that is starting (SageMaker: 2 seconds).
    ping: timedelta = timedelta(seconds=2)
    #: Between two pings of a healthy worker.
    between_pings: timedelta = timedelta(seconds=5)
    #: A worker may be silent while its model computes (60 seconds at most); beyond, it hangs.
    silence: timedelta = timedelta(seconds=70)
    #: From SIGTERM to SIGKILL (SageMaker: 30 seconds).
    grace: timedelta = timedelta(seconds=30)
    #: Before the first restart of a worker that died; doubles each time ...
    first_backoff: timedelta = timedelta(seconds=0.1)
    #: ... up to this ...
    longest_backoff: timedelta = timedelta(seconds=30)
    #: ... and begins anew once a worker was healthy for so long.
    steady: timedelta = timedelta(minutes=1)
    #: Exits in a row of one instance that make the creation of its endpoint fail.
    exits: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """How many standby processes are kept, and while what is so."""

    #: None are kept where it is 0.
    processes: int = 0
    #: None is started that leaves less of the machine's memory free.
    free_percent: float = 0
    #: None is started so soon after a worker was, which is to have the processors for itself.
    quiet: timedelta = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRules:
    """The limits the host holds; their defaults for users are in `apps/settings.py`."""

    #: Image name patterns (fnmatch) to container kinds or commands; they go before the built-in
    #: ones.
    images: Mapping[str, str | ImageCommand] = field(default_factory=dict)
    #: Workers of all endpoints together.
    workers: int = 64
    #: Size of one model's data once unpacked.
    unpacked_bytes: int = 16 * 2**30
    #: Size of one instance's log before it is rotated; one older file is kept.
    log_bytes: int = 10 * 2**20
    #: Logs of instances that are gone, kept for each endpoint.
    old_logs: int = 20
    patience: Patience = field(default_factory=Patience)
    reserve: Reserve = field(default_factory=Reserve)
