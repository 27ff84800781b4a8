"""docs/aws-costs.md, of the whole project and of the least one: `make docs` writes it."""

from __future__ import annotations

import json
from pathlib import Path

from parkade.apps import settings
from parkade.infra.costs import assembly, page, prices
from parkade.infra.naming import Title
from tests.infra import snapshots
from tests.infra.synthesizing import synthesized

PATH = Path(__file__).parents[2] / "docs" / "aws-costs.md"


def whole():
    """Return the templates of the whole project, as they were looked at last."""
    return {
        str(title): json.loads((snapshots.FOLDER / f"{title}.json").read_text(encoding="utf-8"))
        for title in Title
    }


def least():
    """Return the templates of the least project there is."""
    made = synthesized()
    return {
        name.removeprefix(f"{made.prefix}-"): template
        for name, template in assembly.templates(made.folder).items()
    }


def written():
    """Return the page."""
    return page.whole(whole(), least(), prices.packaged())


def main():
    """Write it."""
    settings.let_cdk_find_node(validates=False)
    PATH.write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()
