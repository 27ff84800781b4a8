"""Settings of target models: an item each."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.kind import Kind
from parkade.domain.targets import TargetSetting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.event import Event


class DynamoTargetStore:
    """The target store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "target", TargetSetting, "the setting of target")

    def put(self, setting: TargetSetting, event: Event) -> None:
        """Store the setting over the one of its target."""
        # A target model's name can be as long as a key, so that both would not go into one.
        digest = hashlib.sha256(setting.target.encode()).hexdigest()
        key = f"{setting.endpoint_name}/{digest}"
        if setting.says_nothing:
            self._kind.store([self._kind.delete(key)], event)
        else:
            self._kind.store([self._kind.put(key, setting)], event)

    def all(self) -> Sequence[TargetSetting]:
        """Return every setting in the order of endpoints and targets."""
        found = [self._kind.read(item) for item in self._kind.table.query(self._kind.name)]
        return sorted(found, key=lambda each: (each.endpoint_name, each.target))
