"""What every test gets."""

from pathlib import Path

from hypothesis import settings

from tests.aws_account import aws, aws_config, moto_server  # noqa: F401  fixtures for all

# A busy machine is no reason to fail, and a failure found once must be found again.
settings.register_profile("parkade", deadline=None, derandomize=True, max_examples=200)
settings.load_profile("parkade")

#: What starts whole servers, by its folder.
_LONG = tuple(Path(__file__).parent / each for each in ("faults", "clients"))


def pytest_collection_modifyitems(items):
    """Have what takes long first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: not any(map(item.path.is_relative_to, _LONG)))
