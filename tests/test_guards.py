"""What `make test-guards` takes out is still there; the run itself takes minutes."""

import pytest

from tests.guards import GUARDS, ROOT


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.invariant}: {guard.what}")
def test_each_passage_is_where_its_guard_says(guard):
    source = (ROOT / "src" / "parkade" / guard.file).read_text()
    assert [source.count(passage) for passage, _ in guard.swaps] == [1] * len(guard.swaps)
    file, _, test = guard.test.partition("::")
    assert not test or f"def {test.partition('[')[0]}(" in (ROOT / file).read_text()
