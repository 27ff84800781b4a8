"""What makes a state folder somebody's own: its name, its key, its first token."""

from __future__ import annotations

import logging
import os
import secrets
import uuid
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.meta import SqliteMeta
from parkade.adapters.sqlite.tokens import SqliteTokenStore
from parkade.adapters.system.clock import SystemClock
from parkade.domain.errors import Unreadable
from parkade.domain.token import Role
from parkade.services.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from parkade.apps.statefolder import StatePaths

logger = logging.getLogger(__name__)

#: The name of the token that the first start makes for this machine's CLI.
ADMIN = "admin"


@contextmanager
def local_tokens(paths: StatePaths) -> Iterator[Tokens]:
    """Give the tokens of a state folder, for the CLI that works on it directly."""
    with closing(Database(paths.database)) as database:
        yield Tokens(SqliteTokenStore(database), clock=SystemClock(), key=lambda: server_key(paths))


def state_id(paths: StatePaths) -> str:
    """Return the name that this state folder's worker processes carry; made once."""
    with closing(Database(paths.database)) as database:
        return SqliteMeta(database).setdefault("state_id", uuid.uuid4().hex)


def server_key(paths: StatePaths) -> bytes:
    """Return the key of the token hashes; made at first use, in a file for this user alone."""
    text = _secret_file(paths.server_key, lambda: secrets.token_hex(32))
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Unreadable(
            f"{paths.server_key} does not hold a key in hex",
            hint="bring the file back from a backup; without it all tokens have to be made anew",
        ) from error


def make_admin_token(paths: StatePaths) -> None:
    """Write the admin token of this machine's CLI where there is none yet."""
    if paths.admin_token.exists():
        return
    with local_tokens(paths) as tokens:
        taken = {token.name for token in tokens.all()}
        name = ADMIN if ADMIN not in taken else f"{ADMIN}-{secrets.token_hex(4)}"
        _, secret = tokens.create(
            name, role=Role.ADMIN, endpoints=frozenset(), lifetime=None, actor="first start"
        )
    _secret_file(paths.admin_token, lambda: secret)


def _secret_file(path: Path, make: Callable[[], str]) -> str:
    """Return the file's text; where there is no file, make it whole, with mode 0600."""
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            logger.info("%s was made by another process first", path.name)
        finally:
            fresh.unlink()
    return path.read_text(encoding="ascii").strip()
