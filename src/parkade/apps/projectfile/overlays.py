"""Stages: what one of them lays over the file, and over the stage that it builds on.

Mappings are merged key by key, lists of things with a `name` by their names, and all other lists are
replaced, by an empty one too. Null takes the place of what was there: it removes it, by what null means in a section.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.projectfile.problem import BadFile
from parkade.apps.projectfile.tree import Leaf, Mark, Row, Table
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from parkade.apps.projectfile.tree import Tree

#: The keys of the file, and of a stage, that are about stages.
STAGES, STAGE, BASE = "stages", "stage", "base"
_NAME = "name"
#: What a stage cannot change: it would be another project, or another file.
_FIXED = ("project", STAGE, STAGES)


def merged(under: Tree, over: Tree) -> Tree:
    """Return one tree laid over another; neither is changed."""
    if isinstance(under, Table) and isinstance(over, Table):
        return _merged_tables(under, over)
    if isinstance(under, Row) and isinstance(over, Row):
        return _merged_rows(under, over)
    return over


def _merged_tables(under: Table, over: Table) -> Table:
    entries, keys = dict(under.entries), {**under.keys, **over.keys}
    for key, each in over.entries.items():
        entries[key] = merged(entries[key], each) if key in entries else each
    return Table(entries, over.mark, keys)


def _merged_rows(under: Row, over: Row) -> Row:
    """Return lists of named things merged by their names; any other list replaces the former."""
    known, given = _named(under), _named(over)
    if known is None or given is None:
        return over
    items = [merged(each, given[name]) if name in given else each for name, each in known.items()]
    return Row([*items, *(each for name, each in given.items() if name not in known)], over.mark)


def _named(row: Row) -> dict[str, Tree] | None:
    """Return the items by their names; None: there are none, or not all have one of their own."""
    found: dict[str, Tree] = {}
    for each in row.items:
        name = each.entries.get(_NAME) if isinstance(each, Table) else None
        if not isinstance(name, Leaf) or not isinstance(name.value, str) or name.value in found:
            return None
        found[name.value] = each
    return found or None


def staged(tree: Table, wanted: str | None) -> tuple[Table, str]:
    """Return the file as it is at a stage, and the name of that; `wanted` goes before the file's.

    Raises BadFile for a stage that is not there, for stages that build on each other in a circle,
    and where a stage has to be named.
    """
    stages = _stages(tree)
    own = tree.entries.get(STAGE)
    default = own.value if isinstance(own, Leaf) and isinstance(own.value, str) else None
    known = [*stages, *([default] if default and default not in stages else [])]
    chosen = wanted or default
    if chosen is None:
        if stages:
            raise BadFile.of(
                tree.keys.get(STAGES, Mark()),
                "the file has stages, and none is named",
                hint=f"give --stage: {', '.join(stages)}; or write stage: NAME into the file",
            )
        chosen = ""
    elif known and chosen not in known:
        raise _unknown(tree.keys.get(STAGE if wanted is None else STAGES, Mark()), chosen, known)
    for name in stages:
        _chain(stages, default, name)
    result = Table(
        {key: each for key, each in tree.entries.items() if key not in {STAGES, STAGE}},
        tree.mark,
        tree.keys,
    )
    for name in _chain(stages, default, chosen) if chosen in stages else ():
        result = _merged_tables(result, _overlay(stages[name]))
    return result, chosen


def _stages(tree: Table) -> dict[str, Table]:
    given = tree.entries.get(STAGES)
    if given is None or (isinstance(given, Leaf) and given.value is None):
        return {}
    if not isinstance(given, Table):
        raise BadFile.of(tree.keys.get(STAGES, Mark()), "stages is not a mapping of stages")
    stages = {}
    problems = []
    for name, each in given.entries.items():
        mark = given.keys.get(name, Mark())
        if isinstance(each, Leaf) and each.value is None:
            stages[name] = Table({}, mark)
        elif isinstance(each, Table):
            stages[name] = each
            problems += [
                (each.keys.get(key, mark), f"stages.{name}.{key}: a stage cannot change {key}")
                for key in _FIXED
                if key in each.entries
            ]
        else:
            problems.append((mark, f"stages.{name} is not a mapping of what it changes"))
    if problems:
        raise BadFile(problems)
    return stages


def _chain(stages: dict[str, Table], default: str | None, name: str) -> list[str]:
    """Return the stages that make up one, the first to be laid over the file first."""
    chain = [name]
    while True:
        given = stages[chain[-1]].entries.get(BASE)
        if given is None:
            return chain[::-1]
        base = given.value if isinstance(given, Leaf) else None
        mark = stages[chain[-1]].keys.get(BASE, Mark())
        if not isinstance(base, str):
            raise BadFile.of(mark, f"stages.{chain[-1]}.base is not the name of a stage")
        if base in chain:
            circle = " -> ".join([*chain[chain.index(base) :], base])
            raise BadFile.of(
                mark, f"stages build on each other in a circle: {circle}", hint="take one base out"
            )
        if base not in stages:
            if base == default:  # the file itself
                return chain[::-1]
            raise _unknown(mark, base, [each for each in stages if each not in chain])
        chain.append(base)


def _overlay(stage: Table) -> Table:
    entries = {key: each for key, each in stage.entries.items() if key != BASE}
    return Table(entries, stage.mark, stage.keys)


def _unknown(mark: Mark, name: str, known: list[str]) -> BadFile:
    there = f"there are {', '.join(known)}" if known else "there is no other"
    hint = suggestion(name, known) or there
    return BadFile.of(mark, f"the file has no stage {name[:80]!r}", hint=hint)
