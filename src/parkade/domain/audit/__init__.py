"""The audit: small checks on one survey of everything there is, each finding one kind of thing.

A check says nothing where what it needs could not be read: that is a finding of its own. A new
check is a function in the list below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.audit import bystanders, catalogued, metered, scaled
from parkade.domain.audit.finding import Finding, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parkade.domain.audit.survey import Survey

CHECKS: tuple[Callable[[Survey], Iterator[Finding]], ...] = (
    bystanders.unread,
    metered.unmetered,
    metered.stray_workers,
    metered.not_running,
    catalogued.broken_configs,
    catalogued.missing_data,
    catalogued.not_undoable,
    bystanders.failing_subscribers,
    bystanders.letters,
    scaled.suspended,
    scaled.policies_without_alarm,
    bystanders.orphaned_alarms,
    scaled.alarms_without_policy,
    scaled.orphaned,
    bystanders.dangling_routes,
    bystanders.orphaned_tags,
    bystanders.orphaned_watches,
    bystanders.orphaned_targets,
    metered.stale,
    catalogued.unused_configs,
    catalogued.unused_models,
)


def findings(survey: Survey) -> tuple[Finding, ...]:
    """Return all findings: the worst kinds first, each kind in the order of names."""
    order = list(Kind)
    found = [finding for check in CHECKS for finding in check(survey)]
    return tuple(sorted(found, key=lambda each: (order.index(each.kind), each.name)))
