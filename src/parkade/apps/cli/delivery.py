"""Delivers a project: its models' own cases, packing, applying, the tester, and the way on or back.

Where an endpoint is updated in stages, the tester runs while both fleets serve: what it finds good
is promoted, what it does not is rolled back before all requests meet it. Anything else is tried once
it serves; then the way back is the document before.
"""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.apps import settings
from parkade.apps.cli import (
    apply,
    applywait,
    archives,
    cases,
    differenceviews,
    meant,
    render,
    testerplan,
    testerrun,
    waiting,
)
from parkade.apps.cli import wanted as wanting
from parkade.apps.cli.client import Client, Refused
from parkade.apps.cli.deliveryreport import Outcome, Report, Step, StepKind
from parkade.apps.projectfile.document import containers
from parkade.domain.cases import FILE
from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from parkade.apps.cli.wanted import Wanted
    from parkade.apps.projectfile.reading import Local, ProjectFile

#: Stages of an update in which both fleets have requests.
_BOTH_SERVE = frozenset({"shifting", "baking"})


class _Failed(ParkadeError):
    """A step failed, and no later one is begun."""


class Delivery:
    """One delivery of one stage of a file."""

    def __init__(self, client: Client, path: Path, stage: str | None) -> None:
        self._client = client
        self._path = path
        self._stage = stage

    def carry_out(self) -> Report:
        """Do all the steps, as far as they go, and tell what came of each.

        Raises BadFile for a file with something wrong, before any step.
        """
        file = meant.read(self._path, self._stage)
        wanted = wanting.Wanted.of(file)
        report = Report(project=file.content.prefix)
        try:
            with _step(report, StepKind.TEST) as said:
                said.text = self._test(file, wanted)
            with _step(report, StepKind.PACK) as said:
                said.text = self._pack(wanted)
            good = self._apply(report, wanted)
            if good is None:
                good = self._try(report, wanted)
            if not good:
                self._roll_back(report)
        except _Failed:
            pass  # the report has it
        return report

    def _test(self, file: ProjectFile, wanted: Wanted) -> str:
        """Run the cases of the models that the file names, or of all folders that have some."""
        chosen = file.content.pipeline.test
        folders = {
            each.place: each
            for each in file.locals
            if each.folder and (chosen is None or str(each.place[1]) in chosen)
        }
        tested, count, differ = [], 0, []
        for each in folders.values():
            model = str(each.place[1])
            if chosen is None and not (each.path / FILE).is_file():
                render.note(f"{model}: it has no cases of its own ({FILE})")
                continue
            render.note(f"{model}: running its cases")
            for outcome in cases.run(
                each.path, _environment(wanted, each), settings.server_settings().cache
            ):
                render.note(f"{model}: {outcome.case.id}: {str(outcome) or 'as expected'}")
                count += 1
                if not outcome.passed:
                    differ.append(f"{model}: {outcome.case.id}")
            tested.append(model)
        if differ:
            raise _Failed(f"{len(differ)} of {count} cases differ: {', '.join(differ)}")
        if not tested:
            raise _Nothing("no model has cases of its own")
        return f"{count} cases of {', '.join(tested)}, all as expected"

    def _pack(self, wanted: Wanted) -> str:
        """Pack and store what is not there yet. What is stored changes nothing that serves."""
        missing = archives.missing(self._client, wanted.archives)
        for each in missing:
            archives.store(self._client, each, settings.server_settings().cache)
        if not missing:
            raise _Nothing("all archives are stored already")
        return "stored " + ", ".join(f"{each.model} at {each.address}" for each in missing)

    def _apply(self, report: Report, wanted: Wanted) -> bool | None:
        """Apply what differs; return whether the tester passed in the midst of it; None: not tried."""
        good: bool | None = None
        with _step(report, StepKind.APPLY) as said:
            apply.wait_for_others(self._client, report.project, wait=True)
            difference = wanting.difference(self._client, wanted)
            if difference["problems"]:
                message, hint = differenceviews.sentence(difference["problems"])
                raise _Failed(message, hint=hint)
            if not difference["changes"]:
                raise _Nothing("nothing differs")
            render.aside(differenceviews.difference(difference))
            begun = self._client.post(
                "projects",
                body=wanted.document.sent(),
                plan=difference["plan_id"],
                key=uuid.uuid4().hex,
            )
            report.application = begun["id"]
            tell = applywait.Teller(render.note)
            good = self._follow(report, begun, wanted, difference, tell)
            view = self._over(begun, tell)
            if good is False:
                # However the update ended: what was done beside it is taken back, too.
                said.outcome = Outcome.FAILED
                said.text = "the tester failed while both fleets served"
            else:
                applywait.require_success(view)
                said.text = f"{len(difference['changes'])} changes are made"
        return good

    def _follow(
        self,
        report: Report,
        begun: Mapping[str, Any],
        wanted: Wanted,
        difference: Mapping[str, Any],
        tell: applywait.Teller,
    ) -> bool | None:
        """Look on until it is over; try what two fleets serve as soon as they do."""
        path = ("projects", report.project, "applications", begun["id"])
        updated = [
            each["name"]
            for each in difference["changes"]
            if each["kind"] == "endpoint" and each["verb"] == "change" and self._tests(wanted)
        ]
        between: tuple[str, ...] = ()

        def look() -> dict[str, Any]:
            nonlocal between
            view: dict[str, Any] = self._client.get(*path)
            between = tuple(name for name in updated if self._between(name))
            return view

        for view in waiting.looks(look):
            tell.news(view)
            if between and view["status"] == "running":
                good = self._try(report, wanted)
                if good:
                    self._promote(report, between)
                else:
                    self._steer(between, "rollback")
                return good
        return None

    def _between(self, endpoint_name: str) -> bool:
        """Tell whether two fleets of the endpoint have requests at this moment."""
        try:
            rollout = self._client.get("endpoints", endpoint_name)["rollout"]
        except Refused as refusal:
            if refusal.code != "endpoint_not_found":
                raise
            return False  # it is registered alone, and the meter has not started it
        return rollout is not None and rollout["stage"] in _BOTH_SERVE and 0 < rollout["share"] < 1

    def _over(
        self, begun: Mapping[str, Any], tell: applywait.Teller | None = None
    ) -> dict[str, Any]:
        return applywait.until_over(self._client, begun["project"], begun["id"], tell)

    def _tests(self, wanted: Wanted) -> bool:
        return wanted.content.tester is not None and wanted.content.pipeline.tester

    def _try(self, report: Report, wanted: Wanted) -> bool:
        """Run the tester of the file, and tell whether it passed: one that there is not has."""
        with _step(report, StepKind.TESTER, goes_on=True) as said:
            if not self._tests(wanted):
                raise _Nothing("the file has no tester, or pipeline.tester is false")
            plan = testerplan.plan(testerplan.Asked(file=self._path, stage=self._stage))
            report.tester = testerrun.carry_out(plan)
            told = f"{report.tester['target']}: {report.tester['summary']}"
            course = plan.course
            if report.tester["seconds"] < course.duration - course.interval:
                raise _Failed(f"{told}; it was ended before its time")
            if not report.tester["passed"]:
                raise _Failed(told)
            said.text = told
        done = report.of(StepKind.TESTER)
        return done is not None and done.outcome is not Outcome.FAILED

    def _promote(self, report: Report, endpoint_names: tuple[str, ...]) -> None:
        """Take the updates to their ends."""
        with _step(report, StepKind.PROMOTE) as said:
            told = self._steer(endpoint_names, "promote")
            if not told:
                raise _Nothing("the update had come to its end by itself")
            said.text = f"{', '.join(told)}: the new fleet takes all requests"

    def _steer(self, endpoint_names: tuple[str, ...], verb: str) -> list[str]:
        """Steer the updates; return those that could be: others have ended by themselves."""
        told = []
        for name in endpoint_names:
            try:
                self._client.post("endpoints", name, "rollout", verb)
            except Refused as refusal:
                if refusal.status != _CONFLICT:
                    raise
                render.note(f"{name}: {refusal.message}")
            else:
                told.append(name)
        return told

    def _roll_back(self, report: Report) -> None:
        """Apply the document before, where this delivery has changed anything."""
        with _step(report, StepKind.ROLL_BACK) as said:
            if not report.application:
                raise _Nothing("nothing was changed, and nothing is taken back")
            try:
                begun = self._client.post(
                    "projects", report.project, "rollback", key=uuid.uuid4().hex
                )
            except Refused as refusal:
                if refusal.status != _CONFLICT:
                    raise
                raise _Nothing(refusal.message) from refusal
            applywait.require_success(self._over(begun))
            said.text = "the document before serves again"


#: HTTP's status of what cannot be done as things stand.
_CONFLICT = 409


class _Nothing(ParkadeError):
    """There is nothing to do in a step."""


@dataclass(slots=True)
class _Said:
    """What is to be told of a step that comes to its end."""

    text: str = ""
    outcome: Outcome = Outcome.PASSED


@contextmanager
def _step(report: Report, kind: StepKind, *, goes_on: bool = False) -> Iterator[_Said]:
    """Do a step and report it. Raises _Failed where it fails, unless it `goes_on` all the same."""
    said, began, place = _Said(), time.monotonic(), len(report.steps)
    render.note(f"-- {kind}")
    failure = None
    try:
        yield said
    except _Nothing as nothing:
        said.outcome, said.text = Outcome.SKIPPED, nothing.message
    except ParkadeError as error:
        said.outcome, failure = Outcome.FAILED, error
        said.text = "; ".join(filter(None, (error.message, error.hint)))
    seconds = time.monotonic() - began
    # Where it began: others may have come and gone in the midst of it.
    step = Step(kind=kind, outcome=said.outcome, text=said.text, seconds=seconds)
    report.steps.insert(place, step)
    render.note(f"   {said.outcome}: {said.text}")
    if failure is not None and not goes_on:
        raise _Failed(failure.message) from failure


def _environment(wanted: Wanted, local: Local) -> dict[str, str]:
    """Return the environment of the container that a folder is served in."""
    data = next(each for place, each in containers(wanted.document) if place == local.place)
    return {name: wanted.document.value(given) for name, given in data.environment.items()}
