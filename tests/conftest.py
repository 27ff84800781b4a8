"""What every test gets."""

from hypothesis import settings

from tests.aws_account import aws, aws_config, moto_server  # noqa: F401  fixtures for all

# A busy machine is no reason to fail, and a failure found once must be found again.
settings.register_profile("parkade", deadline=None, derandomize=True, max_examples=200)
settings.load_profile("parkade")
