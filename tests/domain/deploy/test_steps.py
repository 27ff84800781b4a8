"""Which step is next, whatever came of the former ones."""

from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.deploy.deployment import Status
from parkade.domain.deploy.steps import (
    BACKWARD,
    FORWARD,
    Outcome,
    Step,
    StepKind,
    coming,
    failed,
    following,
    stoppable,
)
from tests.builders import NOW


def steps_of(*kinds, outcome=Outcome.DONE):
    return tuple(Step(kind=kind, started_at=NOW, outcome=outcome) for kind in kinds)


def walked(outcomes):
    """Take one step after the other, each with the next of these outcomes."""
    steps = ()
    for outcome in outcomes:
        kind = following(steps)
        if kind is None:
            return steps
        steps += (Step(kind=kind, started_at=NOW, outcome=outcome),)
    return steps


def test_all_goes_well():
    assert [step.kind for step in walked([Outcome.DONE] * 20)] == list(FORWARD)


def test_a_step_that_was_begun_is_taken_up_again():
    begun = (*steps_of(StepKind.LOOK), Step(kind=StepKind.CONFIG, started_at=NOW))
    assert following(begun) is StepKind.CONFIG


def test_what_was_begun_is_undone_and_nothing_else():
    undone = {
        StepKind.LOOK: [],
        StepKind.CONFIG: ["clean_up"],
        StepKind.SCALING_OFF: ["scaling_back", "clean_up"],
        StepKind.BRING_UP: ["roll_back", "scaling_back", "clean_up"],
        StepKind.CHECK: ["roll_back", "scaling_back", "clean_up"],
        StepKind.SETTLE: ["roll_back", "scaling_back", "clean_up"],
    }
    for kind, kinds in undone.items():
        so_far = FORWARD[: FORWARD.index(kind)]
        steps = (*steps_of(*so_far), *steps_of(kind, outcome=Outcome.FAILED))
        assert [str(each) for each in coming(steps)] == [*kinds, "notify"]
        assert not stoppable(steps)


def test_what_is_left_behind_or_not_told_fails_no_deployment():
    steps = (*steps_of(*FORWARD[:-2]), *steps_of(StepKind.TIDY, outcome=Outcome.FAILED))
    assert failed(steps) is None
    assert following(steps) is StepKind.NOTIFY
    assert not stoppable(steps)


def test_it_can_be_called_off_until_only_tidying_is_left():
    for number, kind in enumerate(FORWARD[:-2]):
        begun = (*steps_of(*FORWARD[:number]), Step(kind=kind, started_at=NOW))
        assert stoppable(begun), kind
    assert not stoppable(steps_of(*FORWARD[:-2]))


@given(st.lists(st.sampled_from([*Outcome]), min_size=20, max_size=20))
def test_every_walk_ends_and_tells_how(outcomes):
    steps = walked(outcomes)
    kinds = [step.kind for step in steps]
    assert kinds[-1] is StepKind.NOTIFY
    assert following(steps) is None
    assert len(set(kinds)) == len(kinds)
    assert (set(kinds) & BACKWARD.keys() != set()) <= (failed(steps) is not None)
    for kind, undone in BACKWARD.items():
        assert (kind in kinds) == (failed(steps) is not None and undone in kinds)


def test_the_words_of_a_status_are_those_of_its_event():
    assert [str(each) for each in Status] == ["running", "succeeded", "failed", "cancelled"]
