"""Settings of target models in a dictionary."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.event import Event
    from parkade.domain.targets import TargetSetting
    from parkade.ports.events import History


class MemoryTargetStore:
    """The target store port."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._settings: dict[tuple[str, str], TargetSetting] = {}
        self._lock = threading.Lock()

    def put(self, setting: TargetSetting, event: Event) -> None:
        """Store the setting over the one of its target."""
        key = (setting.endpoint_name, setting.target)
        with self._lock:
            self._history.append(event)
            if setting.says_nothing:
                self._settings.pop(key, None)
            else:
                self._settings[key] = setting

    def all(self) -> Sequence[TargetSetting]:
        """Return every setting in the order of endpoints and targets."""
        with self._lock:
            return [self._settings[key] for key in sorted(self._settings)]
