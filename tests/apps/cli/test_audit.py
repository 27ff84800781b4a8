"""`parkade audit`: what is shown, what is asked, and the exit status."""

import pytest

from tests.builders import a_config, a_model, an_event


@pytest.fixture
def left_over(desk):
    """Tags without an endpoint, an endpoint without a lease, and a model and config unused."""
    world = desk.world
    world.catalog.put_tags("endpoint", "emu", {"team": "birds"})
    world.hosting.create("kiwi", "other-config")
    world.hosting.settle("kiwi")
    world.catalog.add_model(a_model(), an_event())
    world.catalog.add_config(a_config(), an_event())
    with world.objects.writer("models", "falcon.tar.gz") as writer:
        writer.commit()
    return desk


def kinds(desk):
    return [each["id"] for each in desk.json("audit")]


def test_nothing_found_is_said_and_is_no_failure(desk):
    result = desk.run("audit", "--check")
    assert result.exit_code == 0
    assert "Nothing is left over" in result.stderr


def test_findings_are_told_with_what_to_do(left_over):
    shown = left_over.ok("audit")
    assert "endpoint.unmetered kiwi" in shown
    assert "parkade add kiwi --config other-config" in shown
    assert "since 2026-03-01 12:00:00 UTC" in shown
    assert "--fix mends it" in shown
    assert "--fix --unused mends it" in shown
    assert kinds(left_over) == [
        "endpoint.unmetered:kiwi",
        "tags.orphaned:emu",
        "config.unused:falcon-config",
    ]


def test_check_ends_with_status_1_where_anything_is_left(left_over):
    assert left_over.run("audit", "--check").exit_code == 1
    assert left_over.run("audit").exit_code == 0
    assert left_over.run("audit", "--fix", "--yes", "--check").exit_code == 1


def test_fix_lists_what_it_would_do_and_asks(left_over):
    result = left_over.run("audit", "--fix", stdin="n\n")
    assert "forget them" in result.stdout
    assert "tags.orphaned:emu" in kinds(left_over)
    told = left_over.ok("audit", "--fix", stdin="y\n")
    assert "tags.orphaned:emu: forget them: done" in told
    assert kinds(left_over) == ["endpoint.unmetered:kiwi", "config.unused:falcon-config"]


def test_unused_things_go_only_where_that_is_asked_for(left_over):
    left_over.ok("audit", "--fix", "--yes")
    assert "config.unused:falcon-config" in kinds(left_over)
    left_over.ok("audit", "--fix", "--unused", "--yes")
    assert kinds(left_over) == ["endpoint.unmetered:kiwi", "model.unused:falcon-model"]
    assert left_over.ok("audit", "--fix", "--unused", "--yes")
    assert kinds(left_over) == ["endpoint.unmetered:kiwi"]
    assert "without a person" in left_over.run("audit", "--fix", "--yes").stderr


def test_json_tells_what_became_of_each(left_over):
    told = left_over.json("audit", "--fix", "--yes")
    assert [each["id"] for each in told["mended"]] == ["tags.orphaned:emu"]
    assert len(told["findings"]) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--unused",), "--unused goes with --fix"),
        (("--yes",), "--yes goes with --fix"),
        (("--json", "--fix"), "--json cannot ask"),
    ],
)
def test_options_that_do_not_go_together(desk, arguments, told):
    assert told in desk.error("audit", *arguments)
