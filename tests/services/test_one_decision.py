"""Invariant 4, by inspection: there is one decision, and one hand that acts on it."""

import ast
from pathlib import Path

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


def test_invariant_4_endpoints_are_created_and_deleted_in_one_place():
    places = {
        place
        for place, tree in modules()
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"create", "delete"}
        and "hosting" in ast.unparse(call.func.value)
    }
    assert places == {"services/acting.py"}


def test_invariant_4_actions_are_made_by_the_plan_alone():
    places = {
        place
        for place, tree in modules()
        for call in calls(tree)
        if ast.unparse(call.func).split(".")[-1] == "Action"
    }
    assert places == {"domain/plan.py"}


def test_invariant_4_the_plan_reads_no_clock_and_asks_nobody():
    tree = ast.parse((SOURCE / "domain" / "plan.py").read_text(encoding="utf-8"))
    imported = {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }
    assert imported <= {
        "__future__",
        "collections.abc",
        "dataclasses",
        "datetime",
        "enum",
        "parkade.domain.endpoint",
        "parkade.domain.lease",
        "typing",
    }
