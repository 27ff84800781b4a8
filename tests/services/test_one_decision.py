"""Invariant 4, by inspection: there is one decision, and one hand that acts on it."""

import ast
from pathlib import Path

import pytest

import parkade

SOURCE = Path(parkade.__file__).parent
#: Hosting itself, and what answers for it, is not where decisions are made.
ANSWERING = ("adapters", "ports", "runtime")


def modules():
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE)
        if place.parts[0] not in ANSWERING:
            yield place.as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_invariant_4_endpoints_are_moved_in_one_place():
    places = {
        place
        for place, tree in modules()
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"create", "delete", "sleep", "wake"}
        and "hosting" in ast.unparse(call.func.value)
    }
    assert places == {"services/acting.py"}


@pytest.mark.parametrize(
    ("verb", "wanted"),
    [
        ("create", {"services/deploying/fleets.py"}),
        ("remove", {"services/deploying/turning.py", "services/projects/endpointgoing.py"}),
    ],
)
def test_invariant_4_without_a_lease_the_deployer_makes_and_it_or_the_project_removes(verb, wanted):
    places = {
        place
        for place, tree in modules()
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == verb
        and "provisioner" in ast.unparse(call.func.value)
    }
    assert places == wanted


def test_invariant_4_actions_are_made_by_the_plan_alone():
    places = {
        place
        for place, tree in modules()
        for call in calls(tree)
        if ast.unparse(call.func).split(".")[-1] == "Action"
    }
    assert places == {"domain/plan.py"}


def test_invariant_4_the_plan_reads_no_clock_and_asks_nobody():
    pure = {"__future__", "collections.abc", "dataclasses", "datetime", "enum", "math", "typing"}
    ahead, seen = {"plan"}, set()
    while ahead:
        seen.add(module := ahead.pop())
        tree = ast.parse((SOURCE / "domain" / f"{module}.py").read_text(encoding="utf-8"))
        nodes = list(ast.walk(tree))
        imported = {each.module for each in nodes if isinstance(each, ast.ImportFrom)}
        imported |= {
            name.name for each in nodes if isinstance(each, ast.Import) for name in each.names
        }
        ours = {name for name in imported if name.startswith("parkade.domain.")}
        if "parkade.domain" in imported:
            ours |= {
                f"parkade.domain.{name.name}"
                for each in nodes
                if isinstance(each, ast.ImportFrom) and each.module == "parkade.domain"
                for name in each.names
            }
        assert imported - ours - {"parkade.domain"} <= pure | {
            "functools",
            "re",
            "difflib",
            "zoneinfo",
            "decimal",
            "fractions",
        }, module
        ahead |= {name.removeprefix("parkade.domain.") for name in ours} - seen
    assert {"plan", "ladder", "idle", "coins", "budget", "lease"} <= seen
