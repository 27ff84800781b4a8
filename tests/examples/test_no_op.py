"""The smallest model."""

from pathlib import Path

from parkade.apps.cli.cases import run

SAMPLE = Path(__file__).parents[2] / "examples" / "no-op"


def test_its_cases_pass(tmp_path):
    results = list(run(SAMPLE, {}, tmp_path))
    assert len(results) == 3
    assert all(result.passed for result in results)
