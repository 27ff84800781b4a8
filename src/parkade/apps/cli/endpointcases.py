"""`parkade model test --endpoint`: a model folder's cases against what runs, variant by variant."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from parkade.apps.cli import aims, views
from parkade.domain import cases, ownrequests
from parkade.domain.comparing.reading import Body

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from parkade.apps.cli.aims import Aim
    from parkade.apps.cli.client import Client
    from parkade.domain.cases import Case, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One case, asked at one place."""

    aim: Aim
    outcome: Outcome
    seconds: float

    @property
    def part(self) -> str:
        """Where, as people are shown it."""
        return self.aim.part or self.aim.endpoint


def run(client: Client, folder_cases: Sequence[Case], places: Sequence[Aim]) -> Iterator[Asked]:
    """Ask each case at each place, one after the other. Raises Unreachable."""
    for case in folder_cases:
        headers = {
            "Content-Type": case.content_type,
            aims.INFERENCE_ID: ownrequests.inference_id(ownrequests.TEST, case.id),
        }
        for aim in places:
            start = time.perf_counter()
            answer = client.ask(aim.endpoint, case.body, headers | aim.headers)
            seconds = time.perf_counter() - start
            body = Body(answer.content, answer.headers.get("content-type", ""))
            yield Asked(
                aim=aim, outcome=cases.judge(case, answer.status_code, body), seconds=seconds
            )


def table(asked: Sequence[Asked]) -> Table:
    """Return a row for each case at each place."""
    found = views.plain_table()
    found.add_column("Case", overflow="fold")
    found.add_column("Variant", overflow="fold")
    found.add_column("Time", justify="right", no_wrap=True)
    found.add_column("Differences", overflow="fold", ratio=1)
    for each in asked:
        case = each.outcome.case
        told = (
            Text("as expected", "green") if each.outcome.passed else Text(str(each.outcome), "red")
        )
        found.add_row(Text(case.id), Text(each.part), f"{each.seconds * 1000:.1f} ms", told)
    return found


def document(asked: Sequence[Asked]) -> list[dict[str, Any]]:
    """Return the same as JSON."""
    return [
        {
            "case": each.outcome.case.id,
            "endpoint": each.aim.endpoint,
            "variant": each.aim.variant or None,
            "component": each.aim.component or None,
            "target_model": each.aim.model or None,
            "status": each.outcome.status,
            "seconds": round(each.seconds, 6),
            "passed": each.outcome.passed,
            "answer": each.outcome.text,
            "differences": [
                {"path": one.path, "expected": one.before, "answered": one.after}
                for one in each.outcome.comparison.differences
            ],
            "missing_fields": list(each.outcome.comparison.missing),
        }
        for each in asked
    ]
