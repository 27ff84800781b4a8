"""`${NAME}` in the texts of a file: variables of the environment that it is read in.

`${NAME:-default}` has a default, and `$${` stands for a plain `${`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.apps.projectfile.problem import Place, Problem
from parkade.apps.projectfile.tree import Leaf, Row, Table
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.projectfile.tree import Tree

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{")


def substituted(table: Table, environment: Mapping[str, str]) -> tuple[Table, list[Problem]]:
    """Return the table with its variables replaced, and what is wrong with them."""
    work = _Work(environment)
    return work.table(table, ()), work.problems


class _Work:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[Problem] = []

    def table(self, table: Table, place: Place) -> Table:
        entries = {key: self._tree(each, (*place, key)) for key, each in table.entries.items()}
        return replace(table, entries=entries)

    def _tree(self, tree: Tree, place: Place) -> Tree:
        if isinstance(tree, Table):
            return self.table(tree, place)
        if isinstance(tree, Row):
            items = [self._tree(each, (*place, number)) for number, each in enumerate(tree.items)]
            return replace(tree, items=items)
        return self._leaf(tree, place)

    def _leaf(self, leaf: Leaf, place: Place) -> Leaf:
        if not isinstance(leaf.value, str) or "${" not in leaf.value:
            return leaf
        text = _REFERENCE.sub(lambda match: self._value(match, place), leaf.value)
        whole = _REFERENCE.fullmatch(leaf.value)
        return replace(leaf, value=text, of_variable=bool(whole and whole[1]))

    def _value(self, match: re.Match[str], place: Place) -> str:
        name, default = match[1], match[3]
        if match[0] == "$${":
            return "${"
        if name is None:
            self.problems.append(
                Problem(
                    place=place,
                    message="${ begins no variable",
                    hint="write ${NAME} or ${NAME:-default}; $${ stands for a plain ${",
                )
            )
            return ""
        if name in self._environment and (self._environment[name] or default is None):
            return self._environment[name]
        if default is not None:
            return default
        self.problems.append(
            Problem(
                place=place,
                message=f"the variable {name} is not set",
                hint=suggestion(name, self._environment)
                or f"set it, or give a default: ${{{name}:-default}}",
            )
        )
        return ""
