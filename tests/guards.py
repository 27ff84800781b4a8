"""`make test-guards`: takes the guard of each invariant out and sees its test fail.

A test that passes without the guard it is named after would be no test. Each guard is a passage
of the source; a copy of the source without it is put before the installed one, and the test that
names the invariant has to fail there, and to pass on the untouched copy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAULTS = "tests/faults/test_invariants.py"
DAMAGE = "tests/faults/test_damage.py"
BUDGETS = "tests/services/test_budgets.py"
LOAD = "tests/faults/test_steady_load.py"
IDLING = "tests/services/test_idling.py"
PAYING = "tests/services/test_paying.py"
SWEEPING = "tests/apps/control/monitor/test_sweeping.py"
DEPLOYING = "tests/services/test_deployer"
KNOWLEDGE = "tests/apps/control/monitor/test_knowledge.py"
SLEEP = "tests/services/test_sleep.py"


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What is taken out of a file of `src/parkade`, and the test that has to notice."""

    invariant: str
    what: str
    file: str
    #: Passages and what stands in their place.
    swaps: tuple[tuple[str, str], ...]
    test: str


GUARDS = (
    Guard(
        invariant="1 money",
        what="the plan stops what is over",
        file="domain/plan.py",
        swaps=(
            (
                "        if lease.over(now):\n            over = ",
                "        if lease.over(now) and coin:\n            over = ",
            ),
        ),
        test=f"{FAULTS}::test_1_money_a_lease_that_runs_out_takes_its_last_worker_within_two_seconds",
    ),
    Guard(
        invariant="1 money",
        what="a stop that failed is planned again",
        file="domain/plan.py",
        swaps=(
            ("return _Step(_stop(lease, why, lease.ended))", "return _Step(_nothing(lease, why))"),
        ),
        test="tests/services/test_sweep.py"
        "::test_invariant_1_a_failed_stop_is_retried_by_every_sweep_and_told_once",
    ),
    Guard(
        invariant="2 work",
        what="a damaged row does not hide the others",
        file="adapters/sqlite/leases.py",
        swaps=(('unreadable[str(row["endpoint_name"])] = error.message', "raise"),),
        test=f"{FAULTS}::test_2_work_a_lease_that_cannot_be_read_stops_nothing_and_is_reported",
    ),
    Guard(
        invariant="2 work",
        what="a damaged endpoint does not keep the host from starting",
        file="adapters/documents/records.py",
        swaps=(("                unreadable[name] = error.message", "                raise"),),
        test=f"{DAMAGE}::test_2_work_what_cannot_be_read_costs_no_worker_and_no_other_endpoint"
        "[endpoint]",
    ),
    Guard(
        invariant="2 work",
        what="workers go on while their endpoint cannot be read",
        file="runtime/host.py",
        swaps=(
            ("            endpoints[name] = self._stranded(name, why)", "            continue"),
        ),
        test=f"{DAMAGE}::test_2_work_what_cannot_be_read_costs_no_worker_and_no_other_endpoint"
        "[endpoint]",
    ),
    Guard(
        invariant="2 work",
        what="workers go on whose own record cannot be read",
        file="runtime/recovery.py",
        swaps=((" | recorded.unreadable.keys()", ""),),
        test=f"{DAMAGE}::test_2_work_what_cannot_be_read_costs_no_worker_and_no_other_endpoint"
        "[instance]",
    ),
    Guard(
        invariant="2 work",
        what="an endpoint without a lease is left alone",
        file="domain/plan.py",
        swaps=(
            (
                "return _notify(seen.name, NoticeKind.UNMETERED, why)",
                "return Action(kind=ActionKind.STOP, endpoint_name=seen.name, reason=why, deletes=True)",
            ),
        ),
        test=f"{FAULTS}::test_2_work_only_what_a_lease_says_is_stopped",
    ),
    Guard(
        invariant="3 no lost minutes",
        what="a write names the version it read",
        file="adapters/sqlite/leases.py",
        swaps=((" AND version = :version - 1 AND created_at", " AND created_at"),),
        test="tests/adapters/test_sqlite_processes.py::test_no_minute_of_many_processes_is_lost",
    ),
    Guard(
        invariant="3 no lost minutes",
        what="a lease on DynamoDB is written where it is still what was read",
        file="adapters/aws/dynamodb/leases.py",
        swaps=(('where=equal(content=item["content"]) if item else', "where=None if item else"),),
        test="tests/ports/test_leases.py::test_no_minute_of_many_threads_is_lost[dynamodb]",
    ),
    Guard(
        invariant="2 work",
        what="a lease that was opened while a sweep looked is left to the next one",
        file="services/deciding.py",
        swaps=(("    if not late:\n", "    if True:\n"),),
        test="tests/services/test_due.py"
        "::test_a_lease_that_is_paid_for_while_a_sweep_looks_is_the_next_sweeps",
    ),
    Guard(
        invariant="1 money",
        what="what was removed while a sweep looked is not adopted",
        file="services/sweep.py",
        swaps=(
            (
                "if seen is None or seen.status is EndpointStatus.DELETING:\n            return",
                "if False:\n            return",
            ),
        ),
        test="tests/services/test_due.py::test_what_is_removed_while_a_sweep_looks_is_not_adopted",
    ),
    Guard(
        invariant="3 no lost minutes",
        what="a coin that was spent is looked for",
        file="services/meter.py",
        swaps=(
            (
                "if coin is not None and (paid := self._book.spent(coin)) is not None:",
                "coin = None\n        if coin and (paid := self._book.spent(coin)):",
            ),
        ),
        test=f"{FAULTS}"
        "::test_3_no_lost_minutes_a_repeated_coin_counts_once_also_after_control_was_killed",
    ),
    Guard(
        invariant="4 one decision",
        what="only the plan's actions reach hosting",
        file="services/meter.py",
        swaps=(
            (
                "            carry_out(action, self._hosting)",
                "            self._hosting.delete(endpoint_name)",
            ),
        ),
        test="tests/services/test_one_decision.py",
    ),
    Guard(
        invariant="5 again is harmless",
        what="what a killed control process left is adopted or ended",
        file="runtime/recovery.py",
        swaps=(
            ("if leader is None or not stock.keeps(record)", "if leader is None or record.id"),
            ("lambda marked: marked.instance_id not in kept", "lambda marked: False"),
        ),
        test=f"{FAULTS}"
        "::test_5_again_is_harmless_control_killed_in_any_step_of_a_start_or_stop[0.6]",
    ),
    Guard(
        invariant="6 the data plane outlives the control plane",
        what="workers that run are adopted, not replaced",
        file="runtime/recovery.py",
        swaps=(("if leader is None or not stock.keeps(record)", "if leader is None or record.id"),),
        test=f"{FAULTS}::test_6_the_data_plane_outlives_the_control_plane",
    ),
    Guard(
        invariant="7 time",
        what="the clock's origin is stored",
        file="apps/leaseclock.py",
        swaps=(('        meta.put("clock", _scale_text(scale))\n', ""),),
        test=f"{FAULTS}"
        "::test_7_time_is_one_clock_that_a_rehearsal_can_speed_up_and_a_restart_goes_on_with",
    ),
    Guard(
        invariant="idle",
        what="what is not known counts as busy",
        file="domain/idle.py",
        swaps=(
            ("if each.quiet_since is None:\n", "if each.used:\n"),
            ("if each.quiet_since is None and not each.used:", "if False:"),
        ),
        test=f"{IDLING}::test_any_use_and_any_want_of_knowledge_keeps_it",
    ),
    Guard(
        invariant="idle",
        what="every variant has to be idle",
        file="domain/idle.py",
        swaps=(
            (
                "return max(each.quiet_since for each in",
                "return min(each.quiet_since for each in",
            ),
        ),
        test=f"{IDLING}::test_any_use_and_any_want_of_knowledge_keeps_it",
    ),
    Guard(
        invariant="idle",
        what="a tag that is removed in the last instant saves its endpoint",
        file="services/sweep.py",
        swaps=(("if by_idleness and not self._idling.still_due(action):", "if False:"),),
        test=f"{IDLING}::test_what_happens_between_the_decision_and_the_stop_saves_it",
    ),
    Guard(
        invariant="idle",
        what="a clock that was set makes nobody idle",
        file="apps/control/monitor/knowledge.py",
        swaps=(("        if jumped:\n", "        if jumped and not passed:\n"),),
        test=f"{SWEEPING}::test_an_hour_by_which_the_clock_is_set_is_no_idle_time",
    ),
    Guard(
        invariant="idle",
        what="a clock that was set while control was away makes nobody idle",
        file="apps/control/monitor/knowledge.py",
        swaps=(("and known.expected and not self._covers(at, silence):", "and not known:"),),
        test=f"{SWEEPING}::test_nor_is_an_hour_by_which_it_is_set_while_control_is_away",
    ),
    Guard(
        invariant="idle",
        what="while nothing can be stored nothing is idle",
        file="apps/control/monitor/usage.py",
        swaps=(("if not missing and (trouble := self._trouble()):", "if trouble := missing:"),),
        test=f"{SWEEPING}"
        "::test_while_nothing_can_be_stored_nothing_is_stopped_and_afterwards_it_is",
    ),
    Guard(
        invariant="idle",
        what="minutes whose counts a gateway may still have get no zero",
        file="apps/control/monitor/collector.py",
        swaps=(("        if self.knowledge.missing(at):\n            return\n", ""),),
        test=f"{KNOWLEDGE}::test_a_minute_whose_counts_a_gateway_may_still_have_gets_no_zero",
    ),
    Guard(
        invariant="files",
        what="a file that is taken away is told to whoever adds",
        file="adapters/sqlite/reopening.py",
        swaps=(("_identity(self._path) != self._identity:", "not self._identity:"),),
        test="tests/adapters/test_metrics_file.py"
        "::test_a_file_that_is_taken_away_while_it_is_in_use_is_told_once_and_begun_anew",
    ),
    Guard(
        invariant="files",
        what="a file that is gone at the next start is told",
        file="apps/parts/keptfiles.py",
        swaps=(("elif not path.exists():", "elif path.is_dir():"),),
        test="tests/faults/test_lost_files.py"
        "::test_files_that_are_gone_when_control_comes_back_are_told_and_nothing_is_known_of_before",
    ),
    Guard(
        invariant="undo",
        what="an undo that was killed is finished by the next",
        file="services/undo.py",
        swaps=(("if (begun := self._begun(endpoint_name)) is not None:", "if begun := None:"),),
        test="tests/services/test_undo.py"
        "::test_invariant_5_an_undo_that_is_killed_at_any_step_is_finished_by_the_next",
    ),
    Guard(
        invariant="budgets",
        what="time is asked of every period that it reaches into",
        file="services/budgets.py",
        swaps=(("in budget.periods(begins, lease.expires_at):", "in [budget.period(begins)]:"),),
        test=f"{BUDGETS}::test_time_that_reaches_into_a_later_period_has_to_fit_into_that_one_too",
    ),
    Guard(
        invariant="budgets",
        what="a booking for somebody else's lease is asked of their budget",
        file="services/paying.py",
        swaps=(("PaidBy.BOOKING and coin.owner == wanted.owner", "PaidBy.BOOKING"),),
        test="tests/services/test_bookings.py"
        "::test_a_booking_for_a_lease_that_is_somebody_elses_by_then_is_paid_by_their_budget",
    ),
    Guard(
        invariant="budgets",
        what="a payment names the purse that it rests on",
        file="adapters/sqlite/leases.py",
        swaps=(("purses.spend(connection, purse)", "purses.empty(connection, purse.owner)"),),
        test=f"{BUDGETS}::test_of_payments_that_are_decided_at_once_one_gets_the_last_cent[sqlite]",
    ),
    Guard(
        invariant="budgets",
        what="another budget makes what is decided be decided again",
        file="adapters/sqlite/budgets.py",
        swaps=(
            (
                """            purses.empty(connection, budget.owner)
            version = purses""",
                "            version = purses",
            ),
        ),
        test="tests/ports/test_budgets.py"
        "::test_another_budget_makes_what_is_decided_be_decided_again[sqlite-put]",
    ),
    Guard(
        invariant="budgets",
        what="what cannot be read ends no lease",
        file="services/budgets.py",
        swaps=(
            (
                "trouble.append(error.message)",
                "found[owner] = Overspent(owner=owner, then=WhenSpent.STOP, reason='it is torn')",
            ),
        ),
        test=f"{BUDGETS}"
        "::test_while_what_was_spent_cannot_be_read_owners_with_a_budget_get_no_new_time",
    ),
    Guard(
        invariant="metering",
        what="what was metered is not metered again",
        file="services/bookkeeping.py",
        swaps=(
            (
                "max(each.started_at, self._until) if self._until else each.started_at",
                "each.started_at",
            ),
        ),
        test="tests/services/test_bookkeeping.py"
        "::test_a_restart_counts_nothing_twice_and_makes_up_for_the_time_between",
    ),
    Guard(
        invariant="updates",
        what="a new fleet takes over when all of it answers",
        file="runtime/lifecycle.py",
        swaps=(("            return self.rising.whole\n", "            return True\n"),),
        test=f"{LOAD}::test_an_update_that_fails_leaves_the_old_fleet_and_says_why",
    ),
    Guard(
        invariant="updates",
        what="a change that fails leaves what served",
        file="runtime/lifecycle.py",
        swaps=(
            (
                "self._decide(lambda: self._give_up(reason))",
                "self._decide(lambda: self._fail(shortened(reason)))",
            ),
        ),
        test=f"{LOAD}::test_an_update_that_fails_leaves_the_old_fleet_and_says_why",
    ),
    Guard(
        invariant="updates",
        what="a new fleet gets no more than its share",
        file="apps/gateway/crossing.py",
        swaps=(
            (
                "        if self._credit >= self.parts:\n",
                "        if self._credit > self.weight:\n",
            ),
        ),
        test="tests/apps/gateway/test_crossing.py::test_shares_are_exact_and_spread_evenly",
    ),
    Guard(
        invariant="updates",
        what="an alarm turns an update back",
        file="runtime/staging.py",
        swaps=(('            self.turn_back(f"alarm', '            str(f"alarm'),),
        test="tests/runtime/test_staging.py"
        "::test_an_alarm_turns_it_back_for_as_long_as_the_old_fleet_is_there",
    ),
    Guard(
        invariant="accepted",
        what="an asynchronous request is stored before it is accepted",
        file="runtime/backlog.py",
        swaps=(("        self._store.add(request, body)\n", ""),),
        test="tests/clients/test_async.py::test_a_backlog_survives_the_death_of_everything",
    ),
    Guard(
        invariant="aside",
        what="what cannot be captured in time is left out, and holds nobody up",
        file="apps/gateway/scribe.py",
        swaps=(
            (
                "self._queue.qsize() >= WAITING_CALLS:\n            return False\n",
                "self._queue.qsize() >= WAITING_CALLS:\n            sleep(60)\n",
            ),
        ),
        test="tests/apps/gateway/test_capture.py"
        "::test_a_writer_that_cannot_follow_loses_lines_and_is_told_once_a_minute",
    ),
    Guard(
        invariant="aside",
        what="a log that is written without end is cut",
        file="runtime/logs.py",
        swaps=(("source.seek(size - limit if size > 2 * limit else 0)", "left = size"),),
        test="tests/runtime/test_logs.py::test_of_a_log_that_grew_without_measure_its_end_is_kept",
    ),
    Guard(
        invariant="coins",
        what="what was ended within its office hours waits for the next",
        file="domain/coins.py",
        swaps=(
            (
                "if now < opening.closes_at and not given_up(lease, begins):",
                "if now < opening.closes_at:",
            ),
        ),
        test=f"{PAYING}::test_what_a_person_stopped_stays_stopped_until_the_next_opening",
    ),
    Guard(
        invariant="coins",
        what="an opening that a budget refuses stops what runs",
        file="domain/plan.py",
        swaps=(("steps += [coin, *_unless_paid(over)]", "steps += [coin]"),),
        test=f"{PAYING}"
        "::test_a_refusal_by_the_budget_is_told_once_for_each_opening_and_the_endpoint_stops",
    ),
    Guard(
        invariant="coins",
        what="use extends no further than the hard limit",
        file="domain/coins.py",
        swaps=(("lease.bought_until + most, now", "lease.expires_at + most, now"),),
        test=f"{PAYING}::test_use_keeps_it_up_to_the_hard_limit_and_the_owner_hears_of_it_once",
    ),
    Guard(
        invariant="coins",
        what="former office hours are taken back when they change",
        file="services/terms.py",
        swaps=(("if former and former != terms.schedule:", "if not former and terms:"),),
        test=f"{PAYING}::test_new_office_hours_take_effect_at_once",
    ),
    Guard(
        invariant="coins",
        what="a time that clocks skip is the instant of their jump",
        file="domain/wallclock.py",
        swaps=(("    return _jump(wall, zone)\n", "    return found\n"),),
        test="tests/domain/test_schedule.py"
        "::test_clocks_that_change_move_openings_as_people_read_them",
    ),
    Guard(
        invariant="sleep",
        what="it is looked at again right before it is put to sleep",
        file="services/sweep.py",
        swaps=(
            (
                "by_idleness = ends_idle or action.kind is ActionKind.SLEEP",
                "by_idleness = ends_idle",
            ),
        ),
        test=f"{SLEEP}::test_whoever_uses_it_in_the_last_instant_keeps_it_awake",
    ),
    Guard(
        invariant="sleep",
        what="a clock that was paused moves the expiry when it goes on",
        file="domain/lease.py",
        swaps=(
            (
                "replace(rebased(lease, now), asleep_at=None",
                "replace(lease, asleep_at=None",
            ),
        ),
        test="tests/domain/test_lease.py::test_a_paused_clock_loses_no_paid_minute_and_gains_none",
    ),
    Guard(
        invariant="sleep",
        what="what is asked for already is not asked for again",
        file="services/waking.py",
        swaps=(("        if asked(lease, now):\n            return lease\n", ""),),
        test=f"{SLEEP}::test_two_hundred_who_ask_at_once_are_one_ask_and_one_wake",
    ),
    Guard(
        invariant="sleep",
        what="what has just woken is not idle for as long as it slept",
        file="domain/sleeping.py",
        swaps=(("        seen.awake_since or seen.changed_at,\n", ""),),
        test=f"{SLEEP}::test_what_nobody_uses_sleeps_is_asked_for_and_wakes_with_all_its_time",
    ),
    Guard(
        invariant="sleep",
        what="a mark that a crash left without its move is made up for",
        file="domain/sleeping.py",
        swaps=(("    return _still_awake(now, use)\n", "    return _stay(told)\n"),),
        test="tests/services/test_crashes.py",
    ),
    Guard(
        invariant="sleep",
        what="an ask for what is over lapses",
        file="domain/waking.py",
        swaps=(("or now - lease.wanted_at < LAPSES_AFTER", "or bool(lease.wanted_at)"),),
        test=f"{SLEEP}::test_a_wake_that_a_budget_refuses_is_told_once_and_forgotten_in_time",
    ),
    Guard(
        invariant="sleep",
        what="components leave with their endpoint",
        file="runtime/components.py",
        swaps=(("return grouping.emptied(groups) if self.sleeps else groups", "return groups"),),
        test="tests/runtime/test_sleep.py::test_components_sleep_and_wake_with_their_endpoint",
    ),
    Guard(
        invariant="deployments",
        what="what was told before control went is not told again",
        file="services/deploying/telling.py",
        swaps=(
            (
                "if not any(event.reason == text for event in desk.history.latest(query)):",
                "if True:",
            ),
        ),
        test=f"{DEPLOYING}_crashes.py::test_a_crash_at_any_call_changes_nothing_in_the_end",
    ),
    Guard(
        invariant="deployments",
        what="an update that failed while control was away is not begun again",
        file="services/deploying/fleets.py",
        swaps=((" or _failed_since(present, _begun(deployment))", ""),),
        test=f"{DEPLOYING}.py::"
        "test_an_update_that_failed_while_control_was_away_is_not_begun_again",
    ),
    Guard(
        invariant="deployments",
        what="counts are those of the very moment",
        file="services/deploying/fleets.py",
        swaps=(("keeps_counts = _keeps_counts(deployment, present)", "keeps_counts = False"),),
        test=f"{DEPLOYING}.py::test_what_scales_between_look_and_update_is_kept_all_the_same",
    ),
    Guard(
        invariant="deployments",
        what="a config that somebody is going to start from stays",
        file="services/deploying/configs.py",
        swaps=(("if name in needed(desk):", "if False:"),),
        test=f"{DEPLOYING}.py::test_a_config_that_was_booked_meanwhile_is_not_removed",
    ),
)


#: Seconds that a test without its guard waits for what cannot come.
SHORT_PATIENCE = "15"


def _passes(test: str, source: Path, **environment: str) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", test]
    answer = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(source), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode not in {0, 1}:
        sys.exit(f"pytest could not run {test}:\n{answer.stdout}{answer.stderr}")
    return answer.returncode == 0


def _without(guard: Guard, source: Path) -> None:
    file = source / "parkade" / guard.file
    text = file.read_text(encoding="utf-8")
    for passage, instead in guard.swaps:
        if text.count(passage) != 1:
            sys.exit(f"{guard.file} has {text.count(passage)} times, not once: {passage}")
        text = text.replace(passage, instead)
    file.write_text(text, encoding="utf-8")


def main() -> None:
    """Try every guard; exit with 1 where a test did not notice."""
    unnoticed = 0
    for guard in GUARDS:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "src"
            shutil.copytree(ROOT / "src", source)
            whole = _passes(guard.test, source)
            _without(guard, source)
            noticed = not _passes(guard.test, source, PARKADE_TEST_PATIENCE=SHORT_PATIENCE)
        verdict = "noticed" if whole and noticed else "UNNOTICED" if whole else "FAILS AS IT IS"
        print(f"{verdict:14}  {guard.invariant}: {guard.what}", flush=True)  # noqa: T201  its report
        unnoticed += verdict != "noticed"
    print(f"{len(GUARDS) - unnoticed} passed, {unnoticed} failed")  # noqa: T201  its report
    sys.exit(unnoticed > 0)


if __name__ == "__main__":
    main()
