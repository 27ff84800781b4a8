"""Topics as folders: each message is a file, `<topic>/<instant>-<id>.json`."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from parkade.domain.errors import Unavailable
from parkade.domain.topic import envelope, topic_name

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.ports.clock import Clock


class FolderTopics:
    """The topics port on a folder."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root
        self._clock = clock

    def publish(self, topic_arn: str, message: str) -> None:
        """Write the message; it appears whole."""
        now, message_id = self._clock.now(), str(uuid.uuid4())
        folder = self._root / topic_name(topic_arn)
        file = folder / f"{now:%Y%m%dT%H%M%S%f}-{message_id}.json"
        part = file.with_suffix(".part")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            text = json.dumps(envelope(message_id, topic_arn, message, now), indent=2)
            part.write_text(text, encoding="utf-8")
            part.rename(file)
        except OSError as error:
            raise Unavailable(
                f"a message for topic {topic_arn!r} cannot be written: {error}",
                hint="make room on its disk",
            ) from error
