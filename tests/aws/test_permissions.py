"""Roles have what was used, and nothing besides: looked at once all walks have been walked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.aws import permissions
from tests.aws.project import WALKS

if TYPE_CHECKING:
    from tests.aws.application import Application

pytestmark = pytest.mark.aws


def test_no_call_is_made_that_its_role_does_not_allow(running: Application) -> None:
    found = permissions.lacking(running)
    assert not found, "\n".join(found)


def test_no_role_allows_what_nobody_uses(
    running: Application, request: pytest.FixtureRequest
) -> None:
    walked = {item.path.stem for item in request.session.items}
    if not set(WALKS) <= walked:
        pytest.skip("what is used is known where all walks are walked: make test-aws")
    found = permissions.unused(running)
    assert not found, "\n".join(found)
