"""Where everything lies that must survive, and the sockets of a run."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from parkade.domain.errors import InvalidInput

#: Longest path of a unix socket that Linux (108) and macOS (104) both take, with its final zero.
SOCKET_PATH_LIMIT = 103


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePaths:
    """Where everything lies that must survive, and the sockets of a run."""

    state: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.state / "parkade.db"

    @property
    def metrics(self) -> Path:
        """The SQLite file of measurements; a damaged or full one never touches leases."""
        return self.state / "metrics.db"

    @property
    def spend(self) -> Path:
        """What was spent; a SQLite file of its own."""
        return self.state / "spend.db"

    @property
    def prices(self) -> Path:
        """Price lists that were fetched; made at first use."""
        return self.state / "prices.json"

    @property
    def server_key(self) -> Path:
        """The key that token hashes are made with; mode 0600."""
        return self.state / "server.key"

    @property
    def admin_token(self) -> Path:
        """The admin token of this machine's CLI; mode 0600."""
        return self.state / "admin.token"

    @property
    def server_file(self) -> Path:
        """The settings read where `--config` names none."""
        return self.state / "server.yaml"

    @property
    def objects(self) -> Path:
        """The folder that plays S3."""
        return self.state / "objects"

    @property
    def uploads(self) -> Path:
        """Parts of objects that are still on their way."""
        return self.state / "uploads"

    @property
    def topics(self) -> Path:
        """Messages to topics that have no URL; made at first use."""
        return self.state / "topics"

    @property
    def logs(self) -> Path:
        """Log files of Parkade's own processes; workers' are in `endpoints/` below."""
        return self.state / "logs"

    @property
    def models(self) -> Path:
        """Unpacked model data by content."""
        return self.state / "models"

    @property
    def targets(self) -> Path:
        """Unpacked models of multi-model endpoints."""
        return self.state / "targets"

    @property
    def work(self) -> Path:
        """Working folders of instances."""
        return self.state / "work"

    @property
    def spools(self) -> Path:
        """Captured calls that wait to become objects."""
        return self.state / "spools"

    @property
    def url_file(self) -> Path:
        """Where the running server is reached; written at its start."""
        return self.run / "url"

    @property
    def pid_file(self) -> Path:
        """The running supervisor; locked as long as it runs."""
        return self.state / "supervisor.pid"

    @property
    def run(self) -> Path:
        """The folder of sockets: below the state folder where socket paths stay short enough."""
        below = self.state / "run"
        if len(os.fsencode(below / "w" / "0123456789ab.sock")) <= SOCKET_PATH_LIMIT:
            return below
        digest = hashlib.sha256(os.fsencode(self.state)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"parkade-{os.getuid()}-{digest}"

    @property
    def sockets(self) -> Path:
        """The folder of workers' sockets."""
        return self.run / "w"

    @property
    def control_socket(self) -> Path:
        """The management API."""
        return self.run / "control.sock"

    @property
    def link_socket(self) -> Path:
        """Snapshots to gateways, usage from them."""
        return self.run / "link.sock"

    @property
    def gateway_socket(self) -> Path:
        """The gateway's door for Parkade itself."""
        return self.run / "gateway.sock"

    def tell_url(self, url: str) -> None:
        """Write where the server is reached, at once: whoever reads it finds a whole address."""
        fresh = self.url_file.with_name(f".{self.url_file.name}.{os.getpid()}")
        fresh.write_text(f"{url}\n", encoding="ascii")
        fresh.replace(self.url_file)

    def make(self) -> None:
        """Make the folders, for this user alone.

        Raises InvalidInput where that is not possible, or the run folder is another user's.
        """
        folders = (
            self.state, self.objects, self.uploads, self.logs, self.logs / "endpoints", self.models, self.work,
            self.run, self.sockets,
        )  # fmt: skip
        for folder in folders:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise InvalidInput(
                    f"the state folder {folder} cannot be made: {error.strerror}",
                    field="state",
                    hint="name another with --state or PARKADE_STATE",
                ) from error
        if self.run.stat().st_uid != os.getuid():
            raise InvalidInput(f"{self.run} belongs to another user", field="state")
