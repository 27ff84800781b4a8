"""Events to a program: as JSON on its standard input, in a process group of its own.

The program is run without a shell, with hardly any environment. Exit status 0 takes the event;
any other refuses it, and what it wrote last says why. One that does not end in time is killed,
with all that it started.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from parkade.domain.errors import Undelivered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.ports.channels import Message

#: Characters of what the program wrote that are kept.
_TAIL = 500
#: Seconds that its pipes may stay open once its group is gone.
_LEFT = 1.0


class CommandChannel:
    """The channel port. `patience` is the program's time, in seconds; `environment` is all it gets."""

    def __init__(
        self, command: tuple[str, ...], environment: Mapping[str, str], *, patience: float
    ) -> None:
        self._command = command
        self._environment = environment
        self._patience = patience

    def deliver(self, message: Message) -> None:
        """Run the program once."""
        content = json.dumps(message.content).encode() + b"\n"
        environment = {
            **self._environment,
            "PARKADE_EVENT_ID": message.id,
            "PARKADE_EVENT_KIND": message.event.kind,
            "PARKADE_ENDPOINT": message.event.endpoint_name,
        }
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise Undelivered(f"{self._command[0]} cannot be run: {error}") from error
        with process:
            try:
                output, _ = process.communicate(content, timeout=self._patience)
            except subprocess.TimeoutExpired as error:
                _kill(process)
                raise Undelivered(
                    f"{self._command[0]} took longer than {self._patience:g} s and was killed"
                    + _tail(_rest(process))
                ) from error
            finally:
                # What it left behind in its group holds its pipes, and is nobody's.
                _kill(process)
        if process.returncode:
            raise Undelivered(
                f"{self._command[0]} ended with status {process.returncode}" + _tail(output)
            )


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _rest(process: subprocess.Popen[bytes]) -> bytes:
    try:
        output, _ = process.communicate(timeout=_LEFT)
    except subprocess.TimeoutExpired as error:
        return error.stdout or b""
    return output


def _tail(output: bytes) -> str:
    text = output[-4 * _TAIL :].decode(errors="replace").strip()
    return f": {text[-_TAIL:]}" if text else ""
