"""The alarms of what the maintainer watches: traffic anywhere keeps an endpoint, silence proves nothing.

What each variant's alarm says is decided by Parkade's own CloudWatch, which evaluates alarms; how
their states make one is CloudWatch's documented logic of AND, NOT and ALARM(...).
"""

import re
from datetime import timedelta

import pytest

from parkade.adapters.aws.cloudwatch import idlewatch
from parkade.adapters.aws.cloudwatch.idlewatch import IdleWatch
from parkade.adapters.aws.cloudwatch.subjects import Subject
from parkade.domain.errors import Forbidden, InvalidInput, Throttled
from parkade.domain.idle import IdleRules
from parkade.domain.series import Aggregate, Series
from parkade.ports.metrics import Sample
from parkade.services.idlealarms import PREFIX, shown
from tests.apart import Apart
from tests.apps.api.world import World, served
from tests.aws_account import an_account, unique, write_config
from tests.builders import NOW, a_watch, minutes, seconds
from tests.stubbed import stubbed

RULES = IdleRules(window=minutes(5), stop_after=3)


def a_subject(name="blue", **changes):
    return Subject(endpoint_name="falcon", name=name, **changes)


def watching(*subjects, **changes):
    given = {"endpoint_name": "falcon", "subjects": subjects, "rules": RULES, "by": "tag x=y"}
    return IdleWatch(**{**given, **changes})


class Cloud:
    """Parkade's own CloudWatch, on which the alarms of variants are evaluated."""

    def __init__(self, url, switch, folder):
        self._switch = switch
        write_config(folder / "config", url, region="us-east-1")
        self.account = an_account(folder / "config")

    def begin(self, watch):
        """A new world, with these alarms in it."""
        self.world = World(auth=False)
        self._switch.app = self.world.app
        wanted = idlewatch.requests(watch)
        self.rule = wanted.whole["AlarmRule"]
        for part in wanted.parts:
            # Names with Parkade's prefix are its own there; tags with a colon are as good as any.
            part["AlarmName"] = self._name(part["AlarmName"])
            self.account.client("cloudwatch").put_metric_alarm(**part)

    def measure(self, *samples, span=15):
        """Measure each value in all minutes of a span, and look at the alarms when it is over."""
        start = self.world.clock.now()
        self.world.metrics.add(
            [
                Sample(series=series, at=start + minutes(each), value=Aggregate.of(float(value)))
                for series, value in samples
                for each in range(span)
            ]
        )
        self.world.clock.advance(minutes(span))
        self.world.services.alarms.watch.look(self.world.clock.now() + seconds(5))

    def idle(self):
        """What the alarm of all says, by the states of its parts."""
        answer = self.account.client("cloudwatch").describe_alarms()
        states = {each["AlarmName"]: each["StateValue"] for each in answer["MetricAlarms"]}
        terms = self.rule.split(" AND ")
        return all(self._holds(term, states) for term in terms)

    def _holds(self, term, states):
        no, name = re.fullmatch(r'(NOT )?ALARM\("(.+)"\)', term).groups()
        return (states[self._name(name)] == "ALARM") != bool(no)

    @staticmethod
    def _name(name):
        return name.removeprefix(PREFIX).replace("/", "-")


class Switch:
    """One socket for all worlds."""

    app = None

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    switch = Switch()
    with served(switch) as url:
        yield Cloud(url, switch, tmp_path_factory.mktemp("cloudwatch"))


BLUE, GREEN = a_subject(), a_subject("green")


@pytest.mark.parametrize(
    ("measured", "idle"),
    [
        ([(BLUE, 0), (GREEN, 0)], True),
        ([(BLUE, 0), (GREEN, 1)], False),
        ([(BLUE, 2), (GREEN, 0)], False),
        ([(BLUE, 0)], False),
        ([], False),
    ],
    ids=["none is used", "the second is used", "the first is used", "one is not told", "none is told"],
)  # fmt: skip
def test_traffic_of_any_variant_keeps_the_endpoint_and_so_does_silence(cloud, measured, idle):
    cloud.begin(watching(BLUE, GREEN))
    cloud.measure(*((subject.use, value) for subject, value in measured))
    assert cloud.idle() is idle


def test_series_that_end_are_no_idleness(cloud):
    cloud.begin(watching(BLUE))
    cloud.measure((BLUE.use, 0), span=10)
    assert not cloud.idle()
    cloud.measure((BLUE.use, 0), span=5)
    assert cloud.idle()
    cloud.measure(span=15)
    assert not cloud.idle()


def test_an_asynchronous_endpoint_is_idle_when_nothing_waits_and_nothing_was_done(cloud):
    subject = a_subject(asynchronous=True)
    backlog = Series.of("AWS/SageMaker", "ApproximateBacklogSize", EndpointName="falcon")
    for measured, idle in (
        ([(backlog, 0)], True),
        ([(backlog, 1)], False),
        ([(backlog, 0), (subject.use, 1)], False),
        ([(backlog, 0), (subject.use, 0)], True),
        ([(subject.use, 0)], False),
        ([], False),
    ):
        cloud.begin(watching(subject))
        cloud.measure(*measured)
        assert cloud.idle() is idle, measured


# -- what is asked for -----------------------------------------------------------------------


def test_names_spans_and_words_are_those_of_the_embedded_cloud():
    wanted = idlewatch.requests(watching(BLUE, GREEN))
    embedded = shown(a_watch(rules=RULES, by="tag x=y"), [BLUE.use, GREEN.use], NOW)
    assert wanted.whole["AlarmName"] == embedded.name
    assert wanted.whole["AlarmDescription"] == embedded.description
    for part in wanted.parts:
        assert (part["Period"], part["EvaluationPeriods"], part["DatapointsToAlarm"]) == (
            embedded.period, embedded.rule.periods, embedded.rule.datapoints,
        )  # fmt: skip
        assert part["TreatMissingData"] == embedded.rule.missing == "notBreaching"
    assert [part["AlarmName"] for part in wanted.parts] == [
        "parkade-idle/falcon/blue",
        "parkade-idle/falcon/green",
    ]
    assert wanted.whole["AlarmRule"] == (
        'ALARM("parkade-idle/falcon/blue") AND ALARM("parkade-idle/falcon/green")'
    )


def test_all_of_them_say_whose_they_are_and_one_tells_of_it():
    topic = "arn:aws:sns:eu-west-1:123456789012:idle"
    wanted = idlewatch.requests(watching(BLUE, actions=[topic]))
    for request in (*wanted.parts, wanted.whole):
        assert {each["Key"]: each["Value"] for each in request["Tags"]} == {
            "parkade:owner": "parkade", "parkade:endpoint": "falcon",
        }  # fmt: skip
    assert wanted.whole["AlarmActions"] == [topic]
    assert not any(part.get("AlarmActions") for part in wanted.parts)


def test_a_component_is_watched_by_its_own_series_and_a_shadow_not_at_all():
    wanted = idlewatch.requests(
        watching(a_subject("parrot", component=True), a_subject("dark", shadow=True))
    )
    (part,) = wanted.parts
    assert part["Dimensions"] == [{"Name": "InferenceComponentName", "Value": "parrot"}]


def test_by_rules_that_never_do_anything_there_is_none():
    rules = IdleRules(notice_after=None, stop_after=None)
    assert idlewatch.requests(watching(BLUE, rules=rules)) is None


def test_no_alarm_looks_back_farther_than_cloudwatch_does():
    rules = IdleRules(window=timedelta(hours=10), stop_after=9)
    (part,) = idlewatch.requests(watching(BLUE, rules=rules)).parts
    assert part["Period"] * part["EvaluationPeriods"] <= 86400


@pytest.mark.parametrize("count", [0, 101])
def test_an_endpoint_that_no_alarm_can_show_is_refused(count):
    subjects = [a_subject(f"v{number}") for number in range(count)]
    with pytest.raises(InvalidInput, match=f"{count} variants"):
        idlewatch.requests(watching(*subjects))


# -- made, changed, deleted ------------------------------------------------------------------


class Composites:
    """The alarms of alarms that moto does not have, on an account of its."""

    def __init__(self, account, monkeypatch):
        self.names = {}
        client = account.client("cloudwatch")
        describe, delete = client.describe_alarms, client.delete_alarms

        def described(**request):
            if request.get("AlarmTypes") != ["CompositeAlarm"]:
                return describe(**request)
            return {
                "CompositeAlarms": [self.names[n] for n in request["AlarmNames"] if n in self.names]
            }

        def deleted(AlarmNames):  # noqa: N803  boto's
            for each in AlarmNames:
                assert not any(f'"{each}"' in c["AlarmRule"] for c in self.names.values()), "a part"
            ours = [each for each in AlarmNames if each in self.names]
            for each in ours:
                del self.names[each]
            if AlarmNames != ours:
                delete(AlarmNames=[each for each in AlarmNames if each not in ours])

        def put(**request):
            self.names[request["AlarmName"]] = request

        for name, does in (
            ("describe_alarms", described),
            ("delete_alarms", deleted),
            ("put_composite_alarm", put),
        ):
            monkeypatch.setattr(client, name, does)


@pytest.fixture(scope="module")
def apart(aws_config, aws):
    return Apart(aws_config, aws)


@pytest.fixture
def account(apart):
    return apart.account()


def parts(account):
    pages = account.pages("cloudwatch", "describe_alarms")
    return sorted(each["AlarmName"] for page in pages for each in page["MetricAlarms"])


def test_putting_again_changes_nothing_and_variants_that_are_gone_take_their_alarms_along(
    account, monkeypatch
):
    composites = Composites(account, monkeypatch)
    for _ in range(2):
        idlewatch.put(account, watching(BLUE, GREEN))
        assert parts(account) == ["parkade-idle/falcon/blue", "parkade-idle/falcon/green"]
    other = watching(a_subject(), endpoint_name="falcon-2")
    idlewatch.put(account, other)
    idlewatch.put(account, watching(BLUE, a_subject("red")))
    assert parts(account) == [
        "parkade-idle/falcon-2/blue", "parkade-idle/falcon/blue", "parkade-idle/falcon/red",
    ]  # fmt: skip
    assert set(composites.names) == {"parkade-idle/falcon", "parkade-idle/falcon-2"}
    for _ in range(2):
        idlewatch.delete(account, "falcon")
        assert parts(account) == ["parkade-idle/falcon-2/blue"]
        assert set(composites.names) == {"parkade-idle/falcon-2"}
    idlewatch.put(account, watching(a_subject(), endpoint_name="falcon-2", rules=IdleRules(notice_after=None, stop_after=None)))  # fmt: skip
    assert parts(account) == []


def test_whose_an_alarm_is_is_told_by_its_tags_and_not_by_its_name(account, monkeypatch):
    Composites(account, monkeypatch)
    idlewatch.put(account, watching(BLUE))
    client = account.client("cloudwatch")
    part = idlewatch.requests(watching(BLUE)).parts[0]
    others = {
        unique("parkade-idle/parrot"): [],
        unique("parkade-idle/parrot"): [{"Key": "parkade:endpoint", "Value": "falcon"}],
    }
    for name, tags in others.items():
        client.put_metric_alarm(**{**part, "AlarmName": name, "Tags": tags})
    arns = {
        each["AlarmName"]: each["AlarmArn"] for each in client.describe_alarms()["MetricAlarms"]
    }
    assert idlewatch.owned(account, arns["parkade-idle/falcon/blue"]) == "falcon"
    assert [idlewatch.owned(account, arns[name]) for name in others] == ["", ""]


@pytest.mark.parametrize(
    ("code", "error"), [("Throttling", Throttled), ("AccessDenied", Forbidden)]
)
def test_refusals_are_told_apart(aws, code, error):
    with stubbed(aws, "cloudwatch") as (stub, _):
        stub.add_client_error("put_metric_alarm", code, "no")
        with pytest.raises(error, match=code):
            idlewatch.put(aws, watching(BLUE))
        stub.add_client_error("describe_alarms", code, "no")
        with pytest.raises(error, match=code):
            idlewatch.delete(aws, "falcon")


def test_the_requests_are_of_cloudwatchs_own_shape(aws):
    with stubbed(aws, "cloudwatch") as (stub, asked):
        stub.add_response("put_metric_alarm", {})
        stub.add_response("put_composite_alarm", {})
        stub.add_response("describe_alarms", {})
        idlewatch.put(aws, watching(BLUE))
        stub.assert_no_pending_responses()
    assert asked[-1] == {"AlarmNamePrefix": "parkade-idle/falcon/"}


def test_a_rule_is_not_longer_than_cloudwatch_takes():
    def watch(count):
        name = "f" * 63
        components = [
            Subject(endpoint_name=name, name=f"{number:c>63}", component=True)
            for number in range(count)
        ]
        return watching(*components, endpoint_name=name)

    fits = idlewatch.requests(watch(60))
    assert len(fits.whole["AlarmRule"]) < idlewatch.RULE
    with pytest.raises(InvalidInput, match="80 variants and components, whose names"):
        idlewatch.requests(watch(80))
