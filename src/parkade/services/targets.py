"""What people ask for about target models: to stay loaded, to go when idle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.event import Event
from parkade.domain.targets import TargetSetting, target_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.ports.clock import Clock
    from parkade.ports.targets import TargetStore


class Targets:
    """Settings of target models, as stored; looked up for every model that gives way."""

    def __init__(self, store: TargetStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._settings = {_key(each): each for each in store.all()}

    def all(self) -> Sequence[TargetSetting]:
        """Return every setting."""
        return tuple(self._settings.values())

    def of(self, endpoint_name: str, target: str) -> TargetSetting | None:
        """Return what is asked for about a target model; None: nothing."""
        return self._settings.get((endpoint_name, target))

    def pin(self, endpoint_name: str, target: str, *, pinned: bool, actor: str) -> TargetSetting:
        """Keep a target model loaded, or no longer. Raises InvalidInput."""
        words = "stays loaded" if pinned else "may be unloaded"
        changed = replace(self._setting(endpoint_name, target), pinned=pinned)
        return self._put(changed, words, actor)

    def keep_for(
        self, endpoint_name: str, target: str, minutes: float | None, actor: str
    ) -> TargetSetting:
        """Unload a target model when it was idle for so long. Raises InvalidInput."""
        words = "has the server's time to live"
        if minutes is not None:
            words = f"goes when it was idle for {minutes:g} minutes"
        changed = replace(self._setting(endpoint_name, target), ttl_minutes=minutes)
        return self._put(changed, words, actor)

    def forget(self, endpoint_name: str, target: str, actor: str) -> None:
        """Ask for nothing any more about a target model; one that nobody asked about is none."""
        nothing = TargetSetting(endpoint_name=endpoint_name, target=target)
        self._put(nothing, "is forgotten with its endpoint", actor)

    def _setting(self, endpoint_name: str, target: str) -> TargetSetting:
        target = target_model(target)
        known = self.of(endpoint_name, target)
        return known or TargetSetting(endpoint_name=endpoint_name, target=target)

    def _put(self, setting: TargetSetting, words: str, actor: str) -> TargetSetting:
        if setting == (self.of(*_key(setting)) or replace(setting, pinned=False, ttl_minutes=None)):
            return setting
        event = Event(
            at=self._clock.now(),
            kind="target.set",
            actor=actor,
            reason=f"{setting.target} {words}",
            endpoint_name=setting.endpoint_name,
            data={"target": setting.target},
        )
        self._store.put(setting, event)
        self._settings.pop(_key(setting), None)
        if not setting.says_nothing:
            self._settings[_key(setting)] = setting
        return setting


def _key(setting: TargetSetting) -> tuple[str, str]:
    return setting.endpoint_name, setting.target
