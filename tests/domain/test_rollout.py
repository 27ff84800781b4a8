"""Strategies of updates: SageMaker's limits, and the shares that they lead to."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from parkade.domain.catalog import Serverless
from parkade.domain.errors import InvalidInput
from parkade.domain.rollout import Kind, Size, Strategy, check
from tests.builders import a_config, a_variant, seconds

STEPPED = [Kind.CANARY, Kind.LINEAR, Kind.ROLLING]
LEAST = {Kind.CANARY: 1, Kind.LINEAR: 10, Kind.ROLLING: 5}


def strategies():
    """Strategies of all kinds by percentages."""
    return some.sampled_from(STEPPED).flatmap(
        lambda kind: some.integers(LEAST[kind], 50).map(
            lambda percent: Strategy(kind=kind, step=Size(percent=percent))
        )
    )


@pytest.mark.semantics("guardrails.refused")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": Kind.CANARY}, "CANARY needs CanarySize"),
        ({"kind": Kind.LINEAR}, "LINEAR needs LinearStepSize"),
        ({"kind": Kind.ROLLING}, "ROLLING needs MaximumBatchSize"),
        ({"kind": Kind.CANARY, "step": Size(percent=51)}, "CanarySize 51 % is not at most 50"),
        ({"kind": Kind.LINEAR, "step": Size(percent=9)}, "LinearStepSize 9 % is not 10 to 50"),
        ({"kind": Kind.LINEAR, "step": Size(percent=51)}, "is not 10 to 50 percent"),
        ({"kind": Kind.ROLLING, "step": Size(percent=4)}, "MaximumBatchSize 4 % is not 5 to 50"),
        ({"kind": Kind.ROLLING, "step": Size(percent=51)}, "is not 5 to 50 percent"),
        ({"step": Size(percent=50)}, "ALL_AT_ONCE has one step"),
        ({"wait": seconds(3601)}, "WaitIntervalInSeconds 3601 is not 0 to 3600"),
        ({"wait": seconds(-1)}, "WaitIntervalInSeconds -1"),
        ({"termination_wait": seconds(3601)}, "TerminationWaitInSeconds 3601 is not 0 to 3600"),
        ({"limit": seconds(599)}, "MaximumExecutionTimeoutInSeconds 599 is not 600 to 28800"),
        ({"limit": seconds(28801)}, "28801 is not 600 to 28800"),
        (
            {"limit": seconds(600), "wait": seconds(300), "termination_wait": seconds(300)},
            "600 is not larger than all waits together, 600 seconds",
        ),
        ({"rollback_step": Size(percent=10)}, "RollbackMaximumBatchSize goes with ROLLING alone"),
        (
            {
                "kind": Kind.ROLLING,
                "step": Size(percent=50),
                "termination_wait": seconds(1),
            },
            "does not go with ROLLING",
        ),
        ({"alarms": tuple(map(str, range(11)))}, "11 alarms were given; up to 10"),
        ({"alarms": ("a", "a")}, "up to 10 different ones"),
    ],
)
def test_what_sagemaker_does_not_take_is_refused(options, told):
    with pytest.raises(InvalidInput) as caught:
        Strategy(**options)
    assert told in caught.value.message


@pytest.mark.parametrize(
    "given", [{}, {"instances": 1, "percent": 1}, {"instances": 0}, {"percent": 101}]
)
def test_a_size_is_instances_or_a_percentage(given):
    with pytest.raises(InvalidInput):
        Size(**given)


@pytest.mark.parametrize(
    ("kind", "step", "counts", "shares"),
    [
        (Kind.ALL_AT_ONCE, None, [3], "1"),
        (Kind.CANARY, Size(percent=10), [1], "1/10 1"),
        (Kind.CANARY, Size(instances=1), [3], "1/3 1"),
        (Kind.LINEAR, Size(percent=30), [2], "3/10 3/5 9/10 1"),
        (Kind.LINEAR, Size(percent=50), [2], "1/2 1"),
        (Kind.LINEAR, Size(instances=1), [3], "1/3 2/3 1"),
        (Kind.ROLLING, Size(instances=2), [5], "2/5 4/5 1"),
        # Of variants that differ, no one gets more than its instances are for.
        (Kind.LINEAR, Size(instances=1), [2, 10], "1/10 1/5 3/10 2/5 1/2 3/5 7/10 4/5 9/10 1"),
    ],
)
def test_the_course_is_exact(kind, step, counts, shares):
    expected = tuple(Fraction(share) for share in shares.split())
    assert Strategy(kind=kind, step=step).course(counts) == expected


@pytest.mark.parametrize(
    ("kind", "instances", "count"),
    [(Kind.CANARY, 1, 1), (Kind.CANARY, 2, 3), (Kind.LINEAR, 1, 11), (Kind.ROLLING, 1, 21)],
)
def test_a_number_of_instances_has_the_limits_of_its_percentage(kind, instances, count):
    strategy = Strategy(kind=kind, step=Size(instances=instances))
    with pytest.raises(InvalidInput, match=f"of a variant with {count} is not"):
        strategy.course([count])


def test_a_limit_that_all_steps_cannot_keep_is_refused_when_they_are_known():
    strategy = Strategy(
        kind=Kind.LINEAR, step=Size(percent=10), wait=seconds(60), limit=seconds(600)
    )
    with pytest.raises(InvalidInput, match="larger than all waits together, 600 seconds"):
        strategy.course([10])


@given(strategies(), some.lists(some.integers(1, 40), min_size=1, max_size=3))
def test_shares_rise_to_all_by_steps_no_larger_than_asked(strategy, counts):
    shares = strategy.course(counts)
    steps = [after - before for before, after in zip((0, *shares), shares, strict=False)]
    assert shares[-1] == 1
    assert all(step > 0 for step in steps)
    largest = strategy.step.of(counts)
    assert all(step <= largest for step in (steps[:1] if strategy.kind is Kind.CANARY else steps))


def test_plain_is_nothing_but_the_switch():
    assert Strategy().plain
    assert not Strategy(alarms=("a",)).plain
    assert not Strategy(wait=seconds(1)).plain
    assert not Strategy(limit=seconds(600)).plain


@pytest.mark.semantics("guardrails.refused")
@pytest.mark.parametrize(
    ("kind", "variants", "told"),
    [
        (Kind.CANARY, [a_variant("green")], "has other variants than 'old'"),
        (Kind.CANARY, [a_variant(model_name="")], "hosts inference components"),
        (
            Kind.LINEAR,
            [a_variant(serverless=Serverless(memory_mb=1024, concurrency=1))],
            "'blue' of endpoint config 'new' is serverless",
        ),
    ],
)
def test_configs_that_requests_cannot_be_shifted_between_are_refused(kind, variants, told):
    old = a_config("old", variants=(a_variant(),))
    new = a_config("new", variants=tuple(variants))
    with pytest.raises(InvalidInput) as caught:
        check(Strategy(kind=kind, step=Size(percent=10)), old, new)
    assert told in caught.value.message


@pytest.mark.semantics("guardrails.refused")
def test_batches_are_for_one_variant():
    both = a_config("both", variants=(a_variant(), a_variant("green")))
    with pytest.raises(InvalidInput, match="2 variants; ROLLING goes with one"):
        check(Strategy(kind=Kind.ROLLING, step=Size(percent=10)), both, both)
    check(Strategy(kind=Kind.LINEAR, step=Size(percent=10)), both, both)
