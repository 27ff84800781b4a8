"""Variants side by side, from stored measurements and captured files."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.adapters.memory.objects import MemoryObjects
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.domain.ab.verdicts import Finding
from parkade.domain.catalog import Capture
from parkade.domain.comparing.answers import STRICT
from parkade.domain.errors import EndpointNotFound
from parkade.domain.series import SAGEMAKER, Aggregate, Series, bucket
from parkade.ports.metrics import Sample
from parkade.services import experiments as experiments_module
from parkade.services.experiments import Experiments, Period
from tests.builders import (
    NOW,
    a_blueprint,
    a_config,
    a_recorded_component,
    a_recorded_endpoint,
    a_variant,
    an_event,
)

HOUR = timedelta(hours=1)
CAPTURE = Capture(destination="s3://captured/run", percentage=100)


class Stage:
    """An endpoint `text`, and what there is of it."""

    def __init__(self):
        self.catalog = MemoryCatalogStore(MemoryHistory(), MemoryRemainsStore())
        self.metrics = MemoryMetricStore()
        self.objects = MemoryObjects(ManualClock(NOW))

    def config(self, *variants, **members):
        config = a_config(variants=tuple(variants), **members)
        endpoint = a_recorded_endpoint("text", blueprint=a_blueprint(config))
        self.catalog.put_endpoint(endpoint, an_event("endpoint.created"))

    def measure(self, variant, requests, errors=0, *, ago=timedelta(minutes=30), latency=()):
        def add(name, value):
            series = Series.of(SAGEMAKER, name, EndpointName="text", VariantName=variant)
            self.metrics.add([Sample(series=series, at=NOW - ago, value=value)])

        add("Invocations", Aggregate.of(1.0, requests))
        failed = Aggregate(count=requests, total=errors, least=0, most=1)
        add("InvocationModelErrors", failed)
        add("Invocation5XXErrors", failed)
        for value in latency:
            add("ModelLatency", replace(Aggregate.of(value), buckets={bucket(value): 1}))

    def capture(self, variant, answers, *, ago=timedelta(minutes=30), name="x", raw=()):
        at = NOW - ago
        lines = [
            json.dumps({
                "captureData": {"endpointOutput": {
                    "observedContentType": "application/json", "data": json.dumps(value),
                    "encoding": "JSON",
                }},
                "eventMetadata": {"eventId": event, "inferenceTime": at.isoformat()},
            })
            for event, value in answers.items()
        ]  # fmt: skip
        key = f"run/text/{variant}/{at:%Y/%m/%d/%H}/{name}.jsonl"
        with self.objects.writer("captured", key) as writer:
            writer.write("\n".join([*lines, *raw]).encode())
            writer.commit()

    def look(self, span=HOUR, rules=STRICT):
        period = Period(NOW - span, NOW)
        return Experiments(self.catalog, self.metrics, self.objects).look(
            "text", period, captured=period, rules=rules, smallest=0.01
        )


@pytest.fixture
def stage():
    return Stage()


def test_each_variant_has_its_share_its_errors_and_its_latency(stage):
    stage.config(a_variant(name="a", weight=3), a_variant(name="b", weight=1))
    stage.measure("a", 800, 8, latency=[1000, 2000, 4000])
    stage.measure("a", 1000, 2, ago=timedelta(minutes=5))
    stage.measure("b", 600, 60)
    stage.measure("b", 5000, 5000, ago=timedelta(hours=2))
    seen = stage.look()
    a, b = seen.parts
    assert (a.share_wanted, b.share_wanted) == (0.75, 0.25)
    assert (a.count.requests, a.count.errors, a.errors_5xx) == (1800, 10, 10)
    assert (a.share, b.share) == (0.75, 0.25)
    assert [each.name for each in a.latencies] == ["p50", "p90", "p99"]
    assert a.latencies[0].value == pytest.approx(2000, rel=0.1)
    assert b.latencies[0].value is None
    (compared,) = seen.compared
    assert (compared.name, compared.baseline) == ("b", "a")
    assert compared.verdict.finding is Finding.MORE_ERRORS


def test_components_stand_in_the_place_of_variants(stage):
    stage.config(a_variant(name="host", model_name=""))
    for name, requests in (("one", 30), ("two", 90)):
        recorded = a_recorded_component(name, of={"endpoint_name": "text", "variant_name": "host"})
        stage.catalog.put_component(recorded, an_event("component.created"))
        series = Series.of(SAGEMAKER, "Invocations", InferenceComponentName=name)
        value = Aggregate.of(1.0, requests)
        stage.metrics.add([Sample(series=series, at=NOW - timedelta(minutes=9), value=value)])
    seen = stage.look()
    assert [(each.name, each.component, each.share) for each in seen.parts] == [
        ("one", True, 0.25),
        ("two", True, 0.75),
    ]
    assert seen.compared[0].baseline == "two"


def test_variants_that_are_gone_are_told_without_a_weight(stage):
    stage.config(a_variant(name="a"))
    stage.measure("a", 10)
    stage.measure("former", 30)
    a, former = stage.look().parts
    assert (former.name, former.weight, former.share_wanted, former.share) == (
        "former", None, None, 0.75,
    )  # fmt: skip
    assert a.share_wanted == 1.0


def test_of_an_endpoint_that_is_gone_there_is_what_was_measured(stage):
    with pytest.raises(EndpointNotFound):
        stage.look()
    stage.measure("a", 10)
    (part,) = stage.look().parts
    assert part.count.requests == 10
    assert stage.look().compared == ()


def test_a_shadows_answers_are_compared_with_those_of_production(stage):
    stage.config(a_variant(name="a"), shadows=(a_variant(name="s", weight=0.5),), capture=CAPTURE)
    stage.measure("a", 100)
    stage.measure("s", 50)
    stage.capture("a", {"1": 1, "2": 2, "3": 3, "4": 4})
    stage.capture("s", {"1": 1, "2": 5, "3": 3.0}, raw=["{broken"])
    stage.capture("a", {"old": 1}, ago=timedelta(hours=3))
    stage.capture("s", {"old": 2}, ago=timedelta(hours=3))
    seen = stage.look()
    shade = seen.parts[1]
    assert (shade.shadow, shade.share_wanted, shade.share) == (True, 0.5, 0.5)
    (found,) = seen.shadowed
    assert (found.shadow, found.production) == ("s", "a")
    told = found.agreement
    assert (told.pairs, told.agree, told.unpaired, told.unreadable) == (3, 2, 1, 1)
    assert told.complete
    assert stage.look(timedelta(hours=4)).shadowed[0].agreement.pairs == 4


def test_only_the_newest_are_read_where_there_is_more(stage, monkeypatch):
    stage.config(a_variant(name="a"), shadows=(a_variant(name="s"),), capture=CAPTURE)
    for hours in range(3):
        answers = {f"{hours}-{n}": n for n in range(10)}
        other = dict.fromkeys(answers, -1) if hours else answers
        stage.capture("a", answers, ago=timedelta(hours=hours, minutes=1))
        stage.capture("s", other, ago=timedelta(hours=hours, minutes=1))
    monkeypatch.setattr(experiments_module, "MOST_PAIRS", 10)
    told = stage.look(timedelta(hours=5)).shadowed[0].agreement
    assert (told.pairs, told.agree, told.complete) == (10, 10, False)
    monkeypatch.setattr(experiments_module, "MOST_PAIRS", 1000)
    monkeypatch.setattr(experiments_module, "MOST_BYTES", 100)
    assert not stage.look(timedelta(hours=5)).shadowed[0].agreement.complete


@pytest.mark.parametrize(
    ("capture", "reason"),
    [
        (None, "nothing is captured"),
        (
            Capture(destination="s3://captured/x", percentage=9, enabled=False),
            "nothing is captured",
        ),
        (
            Capture(destination="s3://captured/x", percentage=9, outputs=False),
            "answers are not captured",
        ),
    ],
)
def test_why_there_are_no_pairs_is_told(stage, capture, reason):
    stage.config(a_variant(name="a"), shadows=(a_variant(name="s"),), capture=capture)
    seen = stage.look()
    assert seen.shadowed == ()
    assert reason in seen.without_pairs


def test_a_shadow_whose_captured_files_are_not_there_yet_has_no_pairs(stage):
    stage.config(a_variant(name="a"), shadows=(a_variant(name="s"),), capture=CAPTURE)
    told = stage.look().shadowed[0].agreement
    assert (told.pairs, told.share, told.complete) == (0, None, True)
