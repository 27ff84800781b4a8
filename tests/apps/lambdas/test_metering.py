"""What instances cost is written down by every sweep, with what of them was used."""

from dataclasses import replace
from types import SimpleNamespace

from parkade.apps.lambdas.metering import SPAN, Metering
from parkade.domain.errors import Unavailable
from parkade.domain.idle import Reading, Use
from parkade.domain.series import SAGEMAKER, Series
from tests.builders import NOW


class Books:
    """A bookkeeper that remembers what it was brought."""

    def __init__(self):
        self.metered = []

    def meter(self, now, span, instances, used):
        self.metered.append((now, span, [each.endpoint_name for each in instances], used))


def reading(used, **dimensions):
    series = Series.of(SAGEMAKER, "Invocations", **dimensions)
    return Reading(series=series, quiet_since=None, newest=NOW, used=used)


def use(*readings):
    return Use(readings=readings, in_flight=0, backlog=0)


class Stage:
    def __init__(self, *names, uses=None):
        self.books = Books()
        self.asked = []
        self.uses_told = uses or {}
        self.instances = [SimpleNamespace(endpoint_name=name) for name in names]
        machines = SimpleNamespace(
            present=self.present,
            host_of=lambda name, part: "host" if part == "part" else part,
        )
        self.metering = Metering(self.books, machines, self)

    def present(self):
        if isinstance(self.instances, Exception):
            raise self.instances
        return self.instances

    def uses(self, names, now):
        self.asked.append(list(names))
        return {name: self.uses_told.get(name, use()) for name in names}


def test_what_was_used_is_told_by_variant_and_a_component_by_its_host():
    stage = Stage(
        "falcon", "falcon", "flan",
        uses={
            "falcon": use(
                reading(True, EndpointName="falcon", VariantName="blue"),
                reading(False, EndpointName="falcon", VariantName="green"),
            ),
            "flan": use(reading(True, InferenceComponentName="part")),
        },
    )  # fmt: skip
    stage.metering(NOW)
    assert stage.asked == [["falcon", "flan"]]  # one question for all
    (metered,) = stage.books.metered
    assert metered == (
        NOW,
        SPAN,
        ["falcon", "falcon", "flan"],
        {("falcon", "blue"), ("flan", "host")},
    )


def test_where_nothing_runs_nobody_is_asked_and_the_books_go_on():
    stage = Stage()
    stage.metering(NOW)
    assert stage.asked == []
    assert stage.books.metered == [(NOW, SPAN, [], set())]


def test_what_cannot_be_seen_is_left_to_the_next_minute(caplog):
    stage = Stage()
    stage.instances = Unavailable("no list of endpoints")
    stage.metering(NOW)
    assert stage.books.metered == []
    assert "nothing is metered" in caplog.text


def test_a_reading_that_is_not_known_counts_as_no_use():
    stage = Stage("falcon", uses={"falcon": use(replace(reading(False), why="no point"))})
    stage.metering(NOW)
    assert stage.books.metered[0][3] == set()
