"""What is packaged with the functions is what the API and the settings say."""

from datetime import timedelta

import pytest

from parkade.apps.lambdas import leanfile, packaging
from parkade.apps.parts.upkeep import opting
from parkade.apps.serverfile import ServerFile
from parkade.domain.errors import InvalidInput

CONTENTS = {
    "defaults": {},
    "all that functions read": {
        "initial_provision_minutes": 12,
        "unmetered": "adopt",
        "region": "eu-central-1",
        "limits": {"max_minutes_ahead": 600},
        "keep": {"at_most_minutes": 9, "lead_seconds": 5},
        "warnings": {"minutes": [3, 7, 3]},
        "maintain": {"watch": "all", "tag_key": "parked", "stop_after": None, "grace_minutes": 1},
        "money": {
            "prices": {"ml.m5.large": 0.115},
            "budget": {"usd": 7.5, "per": "day", "then": "stop", "zone": "Europe/Berlin"},
        },
    },
}


def test_the_packaged_files_are_as_the_code_has_them():
    for name, content in packaging.contents().items():
        assert (packaging.FOLDER / name).read_text(encoding="utf-8") == content, (
            f"{name} is old: python -m parkade.apps.lambdas.packaging"
        )


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_function_reads_the_settings_as_a_server_does(content):
    lean, whole = leanfile.read(content), ServerFile.model_validate(content)
    assert lean.lease_rules() == whole.lease_rules()
    assert opting(lean) == opting(whole)
    assert lean.money.own_prices() == whole.money.own_prices()
    assert lean.money.budget_of("ann") == whole.money.budget_of("ann")
    for section, name in [("keep", "lead_seconds"), ("money", "keep_days"), ("maintain", "watch")]:
        assert getattr(getattr(lean, section), name) == getattr(getattr(whole, section), name)
    assert (lean.region, lean.unmetered) == (whole.region, whole.unmetered)


def test_the_defaults_are_no_guess():
    assert leanfile.read({}).lease_rules().initial == timedelta(minutes=30)


def test_a_setting_of_another_version_is_refused_by_its_name():
    with pytest.raises(InvalidInput, match=r"setting maintain\.grace_hours"):
        leanfile.read({"maintain": {"grace_hours": 1}})
