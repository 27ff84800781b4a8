"""The smallest model."""

from pathlib import Path

from parkade.runtime.container.cases import run

SAMPLE = Path(__file__).parents[2] / "examples" / "no-op"


def test_its_cases_pass():
    results = list(run(SAMPLE, {}))
    assert len(results) == 3
    assert all(result.passed for result in results)
