"""Tell which test holds which of SageMaker's rules, and fail where none does.

The rules are in `semantics.toml`; a test says that it holds one by `@pytest.mark.semantics("id")`,
or a whole module by `pytestmark`. Without an argument this writes `docs/semantics-coverage.md`;
with `--check` it fails on rules without a test, on marks without a rule, and on an old page.
"""

import argparse
import ast
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PAGE = ROOT / "docs" / "semantics-coverage.md"
HEAD = """# What of SageMaker's rules is kept, and which test holds it

Made by `make docs` from `tests/semantics.toml` and the marks on the tests; `make check` fails where a rule
that applies has no test. Rules that are not kept yet, or that say nothing about one machine, say why.
"""
#: How the reasons of rules that are not held, or in part only, are introduced.
REASONS = {"later": "Not yet", "elsewhere": "Not here"}


def marks():
    """Return the tests of each rule, as `path::name`."""
    found = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                for rule in _named(node.decorator_list):
                    found[rule].append(f"{place}::{node.name}")
            elif isinstance(node, ast.Assign) and _is_pytestmark(node):
                for rule in _named([node.value]):
                    found[rule].append(place)
    return found


def _is_pytestmark(node):
    return any(isinstance(each, ast.Name) and each.id == "pytestmark" for each in node.targets)


def _named(expressions):
    for expression in expressions:
        for node in ast.walk(expression):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "semantics"
            ):
                yield from (each.value for each in node.args)


def page(sections, found):
    """Return the page."""
    lines = [HEAD]
    for section in sections:
        lines += [f"## {section['title']}", "", "| rule | held by |", "| --- | --- |"]
        lines += [f"| {row['rule']} | {_holders(row, found)} |" for row in section["rows"]]
        lines.append("")
    return "\n".join(lines)


def _holders(row, found):
    tests = [_link(test) for test in sorted(found[row["id"]])]
    reasons = [f"*{word}: {row[key]}*" for key, word in REASONS.items() if key in row]
    return "<br>".join([*tests, *reasons]) or "**nothing**"


def _link(test):
    """Return a link to the test's file that reads as the test's name."""
    place, _, name = test.partition("::")
    return f"[{name or Path(place).name}](../{place})"


def complaints(sections, found):
    """Say what is wrong: rules twice, rules that nothing holds, marks that name no rule."""
    rows = {}
    for row in (row for section in sections for row in section["rows"]):
        if row["id"] in rows:
            yield f"there are two rules {row['id']!r} in tests/semantics.toml"
        rows[row["id"]] = row
    for rule, row in rows.items():
        if not found[rule] and not row.keys() & REASONS.keys():
            yield f"no test holds {rule!r}: {row['rule']}"
    for rule in sorted(found.keys() - rows.keys()):
        yield f"{found[rule][0]} is marked for {rule!r}, which is no rule in tests/semantics.toml"


def main():
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    sections = tomllib.loads((TESTS / "semantics.toml").read_text(encoding="utf-8"))["section"]
    found = marks()
    wrong = list(complaints(sections, found))
    text = page(sections, found)
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        wrong.append(f"{PAGE.relative_to(ROOT)} is not up to date; make it with: make docs")
    for each in wrong:
        print(each, file=sys.stderr)  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
