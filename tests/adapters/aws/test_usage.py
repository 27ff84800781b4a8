"""How endpoints are used, by what CloudWatch has: at moto's, and by answers that break off."""

from datetime import timedelta

import pytest
from botocore.stub import ANY

from parkade.adapters.aws.cloudwatch import reading
from parkade.adapters.aws.cloudwatch.subjects import Subject
from parkade.adapters.aws.cloudwatch.usage import BLIND, FARTHEST, LOOK, NEAREST, CloudWatchUsage
from parkade.adapters.memory.clock import ManualClock
from parkade.domain.errors import EndpointNotFound, Unavailable
from parkade.domain.series import SAGEMAKER, Aggregate, Series
from parkade.ports.metrics import Sample
from tests.apps.api.world import World, served
from tests.aws_account import an_account, unique, write_config
from tests.builders import NOW, minutes
from tests.stubbed import stubbed


class Endpoint:
    """An endpoint of a name of its own, and what CloudWatch has of it."""

    def __init__(self, account, *variants, **common):
        self.name = unique("falcon")
        self.account = account
        self.variants = [Subject(endpoint_name=self.name, name=each, **common) for each in variants]
        self.subject = self.variants[0]

    def put(self, values, series=None, *, name="Invocations"):
        """Put values by how many minutes before NOW their minute begins."""
        series = series or self.subject.series(name)
        told = reading.metric(series)
        namespace = told.pop("Namespace")
        data = [
            {**told, "Timestamp": NOW - minutes(back), "Value": float(value)}
            for back, value in values.items()
        ]
        for first in range(0, len(data), 500):
            self.account.client("cloudwatch").put_metric_data(
                Namespace=namespace, MetricData=data[first : first + 500]
            )

    def backlog(self, values):
        self.put(values, Series.of(SAGEMAKER, "ApproximateBacklogSize", EndpointName=self.name))

    def use(self, **options):
        """How it is used, as of NOW."""
        usage = CloudWatchUsage(self.account, lambda _: self.variants, ManualClock(NOW), **options)
        return usage.uses([self.name], NOW)[self.name]


class EmbeddedEndpoint(Endpoint):
    """The same in Parkade's own CloudWatch, into which nobody writes series of SageMaker's."""

    def __init__(self, world, account, *variants):
        super().__init__(account, *variants)
        self._world = world

    def put(self, values, series=None, *, name="Invocations"):
        series = series or self.subject.series(name)
        self._world.metrics.add(
            [
                Sample(series=series, at=NOW - minutes(back), value=Aggregate.of(float(value)))
                for back, value in values.items()
            ]
        )


def zeros(first, last=2):
    """Zeros of each minute, from so many minutes ago on."""
    return dict.fromkeys(range(last, first + 1), 0)


def hours(number):
    """Tell that the use of all endpoints matters for so long."""
    return lambda names: dict.fromkeys(names, timedelta(hours=number))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    world = World(auth=False)
    with served(world.app) as url:
        config = tmp_path_factory.mktemp("embedded") / "config"
        write_config(config, url, region="us-east-1")
        yield world, an_account(config)


@pytest.fixture(params=["moto", "embedded"])
def endpoint(request):
    if request.param == "moto":
        return Endpoint(request.getfixturevalue("aws"), "blue")
    return EmbeddedEndpoint(*request.getfixturevalue("embedded"), "blue")


def test_zeros_are_idleness_from_when_they_began_and_as_much_later_as_nothing_is_known(endpoint):
    endpoint.put({20: 7, **zeros(19)})
    use = endpoint.use()
    assert use.why_not == ""
    assert use.quiet_since == NOW - minutes(19) + BLIND
    assert use.used_at == NOW - minutes(19)
    assert (use.in_flight, use.backlog) == (0, 0)
    assert use.readings[0].series == endpoint.subject.use
    assert use.readings[0].newest == NOW - minutes(2)


def test_what_nobody_has_told_is_no_idleness(endpoint):
    use = endpoint.use()
    assert use.quiet_since is None
    assert "no point of it" in use.unknown
    assert not use.in_use


def test_a_hole_ends_idleness(endpoint):
    values = zeros(30)
    del values[12]
    endpoint.put(values)
    assert endpoint.use().quiet_since == NOW - minutes(11) + BLIND


def test_series_that_have_ended_are_not_known(endpoint):
    endpoint.put(zeros(30, last=6))
    use = endpoint.use()
    assert use.quiet_since is None
    assert "no point of 11:56" in use.unknown


def test_what_cloudwatch_may_not_have_told_yet_is_not_asked_of_it(endpoint):
    endpoint.put(zeros(30, last=4))
    assert endpoint.use().quiet_since is not None


@pytest.mark.parametrize("back", [4, 2, 1])
def test_use_counts_as_soon_as_it_is_told(endpoint, back):
    endpoint.put({**zeros(30, last=4), back: 3})
    use = endpoint.use()
    assert use.quiet_since is None
    assert use.in_use
    assert use.unknown == ""
    assert f"3 invocations at {NOW - minutes(back):%H:%M}" in use.why_not
    assert use.used_at == NOW - minutes(back - 1)


def test_each_variant_counts(aws):
    endpoint = Endpoint(aws, "blue", "green")
    endpoint.put(zeros(30))
    assert endpoint.use().quiet_since is None
    endpoint.put({**zeros(30), 10: 1}, endpoint.variants[1].use)
    use = endpoint.use()
    assert use.quiet_since == NOW - minutes(9) + BLIND
    assert [each.quiet_since for each in use.readings] == [
        NOW - minutes(30) + BLIND, NOW - minutes(9) + BLIND,
    ]  # fmt: skip


def test_a_shadow_is_nobodys_use(aws):
    endpoint = Endpoint(aws, "blue")
    endpoint.put(zeros(30))
    endpoint.variants.append(Subject(endpoint_name=endpoint.name, name="shadow", shadow=True))
    use = endpoint.use()
    assert [each.series for each in use.readings] == [endpoint.subject.use]
    assert use.quiet_since is not None


def test_a_component_is_counted_by_its_own_name(aws):
    endpoint = Endpoint(aws, unique("part"), component=True)
    endpoint.put(zeros(30), Series.of(SAGEMAKER, "Invocations", InferenceComponentName=endpoint.subject.name))  # fmt: skip
    assert endpoint.use().quiet_since == NOW - minutes(30) + BLIND
    endpoint.put({1: 2}, name="ConcurrentRequestsPerCopy")
    assert endpoint.use().in_flight == 2


def test_an_endpoint_without_variants_is_not_known(aws):
    endpoint = Endpoint(aws, "blue")
    endpoint.variants = []
    assert endpoint.use().unknown == "no series is known of it"


def test_requests_under_way_are_told_where_sagemaker_tells_them(endpoint):
    endpoint.put(zeros(30))
    endpoint.put({9: 5, 2: 1}, name="ConcurrentRequestsPerModel")
    assert endpoint.use().why_not == "1 request under way"
    endpoint.put({1: 0}, name="ConcurrentRequestsPerModel")
    assert endpoint.use().in_flight == 0


def test_where_it_does_not_what_came_lately_may_be_under_way(endpoint):
    endpoint.put({**zeros(30), 9: 1, 7: 2})
    endpoint.put({20: 1}, name="ConcurrentRequestsPerModel")
    use = endpoint.use()
    assert use.in_flight == 2
    assert use.quiet_since is None


def test_what_waits_for_an_asynchronous_endpoint_is_use(aws):
    endpoint = Endpoint(aws, "blue", asynchronous=True)
    assert endpoint.use().quiet_since is None
    endpoint.backlog({**zeros(30), 10: 2})
    use = endpoint.use()
    assert use.quiet_since == NOW - minutes(9) + BLIND
    assert (use.in_flight, use.backlog) == (0, 0)
    endpoint.put({6: 1}, name="InvocationsProcesssed")
    assert endpoint.use().quiet_since == NOW - minutes(5) + BLIND
    endpoint.backlog({1: 3})
    assert endpoint.use().why_not.endswith("3 invocations at 11:59")
    assert endpoint.use().backlog == 3


def test_a_backlog_that_is_not_told_any_more_is_not_known(aws):
    endpoint = Endpoint(aws, "blue", asynchronous=True)
    endpoint.backlog(zeros(30, last=8))
    use = endpoint.use()
    assert use.backlog is None
    assert "no point of 11:56" in use.unknown


def test_it_is_looked_as_far_back_as_somebody_needs(endpoint):
    endpoint.put(zeros(300))
    assert endpoint.use().quiet_since == NOW - LOOK
    assert endpoint.use(look=hours(4)).quiet_since == NOW - timedelta(hours=4)


def test_it_is_looked_no_farther_back_than_minutes_are_kept(answers):
    account, stub = answers
    endpoint = Endpoint(account, "blue")
    points = {"m0": zeros(30), "m1": {}}
    for start in (NOW - FARTHEST, NOW - NEAREST - BLIND):
        stub.add_response(
            "get_metric_data",
            answer(*(result(n, each) for n, each in enumerate(points.values()))),
            {"MetricDataQueries": ANY, "StartTime": start, "EndTime": NOW, "ScanBy": ANY},
        )
    for look in (hours(90 * 24), hours(0)):
        assert endpoint.use(look=look).unknown == ""


def test_where_it_is_not_known_how_far_back_it_matters_nothing_is(endpoint):
    def look(_):
        raise Unavailable("the table is away")

    use = endpoint.use(look=look)
    assert use.quiet_since is None
    assert "the table is away" in use.unknown


def test_an_endpoint_whose_variants_are_not_known_harms_no_other(aws):
    endpoint = Endpoint(aws, "blue")
    endpoint.put(zeros(30))

    def variants(name):
        if name == "gone":
            raise EndpointNotFound("there is no endpoint 'gone'")
        return endpoint.variants

    uses = CloudWatchUsage(aws, variants, ManualClock(NOW)).uses(["gone", endpoint.name], NOW)
    assert "there is no endpoint 'gone'" in uses["gone"].unknown
    assert uses[endpoint.name].quiet_since is not None


def test_thousands_of_variants_are_asked_for_500_series_a_call(aws, monkeypatch):
    """Each has two series; the batches are under way side by side."""
    sizes = []
    client = aws.client("cloudwatch")
    monkeypatch.setattr(
        client,
        "get_metric_data",
        lambda **request: sizes.append(len(request["MetricDataQueries"])) or {},
        raising=False,
    )
    names = [f"falcon-{number}" for number in range(1001)]
    usage = CloudWatchUsage(
        aws, lambda name: [Subject(endpoint_name=name, name="blue")], ManualClock(NOW)
    )
    uses = usage.uses(names, NOW)
    assert sorted(sizes) == [2, 500, 500, 500, 500]
    assert all("CloudWatch told no end of it" in uses[name].unknown for name in names)


# -- answers that break off ------------------------------------------------------------------


@pytest.fixture
def answers(aws):
    """A CloudWatch that answers what a test says."""
    with stubbed(aws, "cloudwatch") as (stub, _):
        yield aws, stub


def result(number, values, status="Complete", **more):
    told = {
        "Id": f"m{number}",
        "Label": "it",
        "Timestamps": [NOW - minutes(back) for back in sorted(values, reverse=True)],
        "Values": [float(values[back]) for back in sorted(values, reverse=True)],
        "StatusCode": status,
    }
    return told | more


def answer(*results, **more):
    return {"MetricDataResults": list(results), **more}


#: The series of an endpoint with two variants: invocations of both, then what is under way.
SILENT = [result(2, {}), result(3, {})]


def test_pages_are_put_together(answers):
    account, stub = answers
    endpoint = Endpoint(account, "blue", "green")
    stub.add_response(
        "get_metric_data",
        answer(result(0, zeros(30, last=20), "PartialData"), result(1, zeros(30)), NextToken="on"),
    )
    stub.add_response("get_metric_data", answer(result(0, zeros(19)), *SILENT))
    assert endpoint.use().quiet_since == NOW - minutes(30) + BLIND
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("Throttling", "Throttling"),
        ("AccessDenied", "AccessDenied"),
        ("InternalServiceFault", "InternalServiceFault"),
    ],
)
def test_what_cannot_be_read_is_not_known_and_says_why(answers, code, words):
    account, stub = answers
    stub.add_client_error("get_metric_data", code, "no")
    use = Endpoint(account, "blue").use()
    assert use.quiet_since is None
    assert words in use.unknown
    assert use.in_flight is None


def test_a_page_that_fails_makes_just_what_it_covers_unknown(answers):
    account, stub = answers
    endpoint = Endpoint(account, "blue", "green")
    stub.add_response(
        "get_metric_data",
        answer(result(0, zeros(30)), result(1, zeros(30), "PartialData"), NextToken="on"),
    )
    stub.add_client_error("get_metric_data", "Throttling", "too fast")
    first, second = endpoint.use().readings
    assert first.quiet_since == NOW - minutes(30) + BLIND
    assert second.quiet_since is None
    assert "Throttling" in second.why


def test_data_that_end_before_all_was_told_are_not_known(answers):
    account, stub = answers
    endpoint = Endpoint(account, "blue", "green")
    stub.add_response(
        "get_metric_data",
        answer(result(0, zeros(30)), result(1, zeros(30), "PartialData"), *SILENT),
    )
    first, second = endpoint.use().readings
    assert first.why == ""
    assert "no end" in second.why


def test_a_series_that_cloudwatch_cannot_read_is_not_known(answers):
    account, stub = answers
    endpoint = Endpoint(account, "blue", "green")
    told = {"Messages": [{"Code": "X", "Value": "not yours"}]}
    stub.add_response(
        "get_metric_data",
        answer(result(0, zeros(30)), result(1, {}, "Forbidden", **told), *SILENT),
    )
    first, second = endpoint.use().readings
    assert first.why == ""
    assert second.why == "CloudWatch answers Forbidden not yours"
