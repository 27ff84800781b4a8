"""Surveys with defaults: a test names only what it is about."""

from datetime import timedelta

from parkade.domain.audit import findings
from parkade.domain.audit.survey import Survey
from tests.builders import NOW


def a_survey(**changes):
    defaults = {"now": NOW, "wall": NOW, "stale_after": timedelta(days=30)}
    return Survey(**{**defaults, **changes})


def found(**changes):
    """The ids of what is found."""
    return [each.id for each in findings(a_survey(**changes))]


def the_one(**changes):
    (finding,) = findings(a_survey(**changes))
    return finding
