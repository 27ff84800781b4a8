"""How far back the use of an endpoint matters: as long as the longest timer that it is asked for.

Where use is read from afar, each look is paid for; nobody looks back a week for an endpoint that is
stopped after a quarter of an hour.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import Unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from parkade.domain.ladder import Watch
    from parkade.domain.terms import Terms
    from parkade.ports.terms import TermsStore
    from parkade.ports.watches import WatchStore

#: Of more endpoints than these, all that is settled is read at once.
_ONE_BY_ONE = 5
_NOTHING = timedelta(0)


class Lookback:
    """Knows it by what is settled, and by what the maintainer watches."""

    def __init__(self, terms: TermsStore, watches: WatchStore) -> None:
        self._terms = terms
        self._watches = watches

    def __call__(self, endpoint_names: Collection[str]) -> Mapping[str, timedelta]:
        """Return it for each of these endpoints; zero where nothing waits for its use.

        What is damaged counts for nothing: without it, nothing is decided on it. Raises what a store
        raises that cannot be read at all.
        """
        if len(endpoint_names) > _ONE_BY_ONE:
            terms = {each.endpoint_name: each for each in self._terms.all().records}
            watches = {each.endpoint_name: each for each in self._watches.all().records}
            return {each: _longest(terms.get(each), watches.get(each)) for each in endpoint_names}
        return {each: _longest(self._settled(each), self._watch(each)) for each in endpoint_names}

    def _settled(self, endpoint_name: str) -> Terms | None:
        try:
            return self._terms.get(endpoint_name)
        except Unreadable:
            return None

    def _watch(self, endpoint_name: str) -> Watch | None:
        try:
            return self._watches.get(endpoint_name)
        except Unreadable:
            return None


def _longest(terms: Terms | None, watch: Watch | None) -> timedelta:
    return max((*_of_terms(terms), *_of_watch(watch)), default=_NOTHING)


def _of_terms(terms: Terms | None) -> Iterator[timedelta]:
    if terms is not None and terms.sleep is not None and terms.sleep.after is not None:
        yield terms.sleep.after
    if terms is not None and terms.keep is not None:
        yield terms.keep.when_left


def _of_watch(watch: Watch | None) -> Iterator[timedelta]:
    if watch is not None:
        rules = watch.rules
        yield rules.window * max(rules.notice_after or 0, rules.stop_after or 0)
