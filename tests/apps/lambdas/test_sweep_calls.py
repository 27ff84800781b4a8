"""What a sweep asks of AWS in a minute in which nothing happens, and what the life of a lease asks.

docs/aws-costs.md multiplies these figures by prices; they are counted here, over moto and a SageMaker
of the tests, and kept in `parkade.infra.costs.measured`.
"""

import json
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import botocore.session
import pytest

from parkade.adapters.aws.account import Account
from parkade.adapters.aws.dynamodb.shape import MAIN
from parkade.adapters.aws.dynamodb.stores import DynamoStores
from parkade.adapters.aws.dynamodb.table import Table
from parkade.adapters.memory.clock import ManualClock
from parkade.apps.cloud import hosting
from parkade.apps.lambdas import leanfile
from parkade.apps.lambdas.meterwork import Ground, Work, ticks
from parkade.apps.lambdas.sweep import Means, Sweeper
from parkade.apps.lambdas.timer import Means as TimerMeans
from parkade.apps.lambdas.timer import Timer
from parkade.infra.costs import measured
from tests.adapters.aws.misbehaving import SageMaker
from tests.apps.lambdas.calls import a_call
from tests.aws_account import REGION, a_table, unique
from tests.builders import NOW, a_lease, an_event, minutes


class Bill:
    """Requests by service and operation, and what they are billed by."""

    def __init__(self):
        self.requests = Counter()
        self.reads = 0.0
        self.writes = 0.0
        self.series = 0
        self.events = 0
        self.line = self.figures = 0
        self.timers = []

    def asked(self, params, model, context, **_):
        context["asked"] = params

    def answered(self, parsed, model, context, **_):
        service, operation = model.service_model.service_name, model.name
        self.requests[service, operation] += 1
        asked = context["asked"]
        if operation == "GetMetricData":
            self.series += len(asked["MetricDataQueries"])
        if operation == "StartExecution":
            self.timers.append(json.loads(asked["input"]))
        if service == "dynamodb":
            getattr(self, f"_{operation}")(asked, parsed)

    def _GetItem(self, _asked, parsed):  # noqa: N802  DynamoDB's word
        self.reads += _read(parsed.get("Item"))

    def _BatchGetItem(self, asked, parsed):  # noqa: N802
        (keys,) = (each["Keys"] for each in asked["RequestItems"].values())
        (found,) = parsed["Responses"].values()
        self.reads += sum(map(_read, found)) + len(keys) - len(found)

    def _Query(self, asked, parsed):  # noqa: N802
        size = sum(map(_size, parsed["Items"]))
        self.reads += max(1, -(-size // 4096)) * (1 if asked.get("ConsistentRead") else 0.5)

    def _TransactWriteItems(self, asked, _parsed):  # noqa: N802
        for each in asked["TransactItems"]:
            (change,) = each.values()
            item = change.get("Item", {})
            kilobytes = max(1, -(-_size(item) // 1024))
            self.writes += 2 * kilobytes
            # An index holds a whole copy of an item that has its attributes.
            self.writes += sum(kilobytes for index in MAIN.indexes if index.partition in item)
            self.events += item.get("pk") == {"S": "event"}


def _size(item):
    return sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())


def _read(item):
    return max(1, -(-_size(item or {}) // 4096))


class World:
    """The sweep and the timer as functions have them, over an account whose requests are counted."""

    def __init__(self, aws, config, sagemaker, monkeypatch):
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", sagemaker.url)
        self.sagemaker, self.clock, self.bill = sagemaker, ManualClock(NOW), Bill()
        self._lock = threading.Lock()
        session = botocore.session.Session()
        session.register("before-parameter-build.*.*", self._asked)
        session.register("after-call.*.*", self._answered)
        account = Account(session=session)
        machine = aws.client("stepfunctions").create_state_machine(
            name=unique("timer"),
            definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
            roleArn="arn:aws:iam::123456789012:role/timer",
        )
        self.stores = DynamoStores(Table(account, a_table(aws).name, MAIN), self.clock)
        settings = SimpleNamespace(
            timer=machine["stateMachineArn"], function="Sweep", region=REGION, project="Demo"
        )
        file = leanfile.read({"region": REGION})
        maker = hosting.build(account, self.stores, self.clock, sweeps=True)
        self._ground = Ground(settings, account, self.clock, file, self.stores, maker)
        work = Work(self._ground)
        self._sweep = Sweeper(
            Means(
                sweep=work.sweep,
                timers=work.timers,
                meter=work.metering,
                tidy=work.tidying,
                again=work.again,
                ticks=ticks(),
                project="Demo",
                tell=self._tell,
            )
        )
        self._timer = Timer(lambda name: _look(work, Work(self._ground, one=name)))

    # Those of a bill that is being counted when they come.
    def _asked(self, **told):
        self.bill.asked(**told)

    def _answered(self, **told):
        with self._lock:
            self.bill.answered(**told)

    def _tell(self, line):
        self.bill.line = len(line) + 1
        (told,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
        self.bill.figures = len(told["Metrics"])

    def lease(self, name):
        """Somebody buys two hours."""
        now = self.clock.now()
        lease = a_lease(
            endpoint_name=name, config_name="config", created_at=now, expires_at=now + minutes(120)
        )
        event = an_event("lease.added", endpoint_name=name)
        return self._counted(lambda: self.stores.book.put(lease, event))

    def minute(self):
        """A minute passes, and the sweep comes; return what it asked."""
        self.clock.advance(timedelta(minutes=1))
        return self._counted(lambda: self._sweep({}, a_call()))

    def steady(self):
        """Minutes pass until one asks what the one before it asked."""
        before = self.minute()
        for _ in range(10):
            bill = self.minute()
            if vars(bill) | {"line": 0} == vars(before) | {"line": 0}:
                return bill
            before = bill
        raise AssertionError(f"no two minutes ask the same: {vars(before)}, {vars(bill)}")

    def look(self, given):
        """The timer looks, as its machine was told to."""
        return self._counted(lambda: self._timer(given, a_call()))

    def settle(self):
        """What was begun at SageMaker is done."""
        self.sagemaker.now = self.clock.now().timestamp()
        for name in list(self.sagemaker.endpoints):
            self.sagemaker.place(name)

    def _counted(self, act):
        self.bill = bill = Bill()
        self.answer = act()
        return bill


def _look(work, one):
    return TimerMeans(
        sweep=one.sweep, book=one.book, hosting=one.hosting, timers=work.timers, clock=work.clock
    )


@pytest.fixture
def world(aws, aws_config, monkeypatch):
    sagemaker = SageMaker()
    yield World(aws, aws_config, sagemaker, monkeypatch)
    sagemaker.close()


def test_a_sweep_in_which_nothing_happens_asks_what_its_costs_are_told_by(world):
    quiet = world.steady()
    assert _as_kept(quiet, measured.NONE) == measured.NONE
    assert quiet.figures == measured.FIGURES
    assert abs(quiet.line - measured.LINE) < 20
    for number in range(10):
        world.sagemaker.place(f"text-{number}")
        world.lease(f"text-{number}")
    busy = world.steady()
    assert world.answer["leases"] == 10
    assert _as_kept(busy, measured.TEN) == measured.TEN


def test_a_lease_asks_what_its_costs_are_told_by_from_its_purchase_to_its_end(world):
    quiet = world.steady()
    lived = [world.lease("text")]
    lived += [world.minute(), world.minute()]  # it is created
    assert world.sagemaker.asked["CreateEndpoint"] == 1
    world.settle()
    lived.append(world.minute())
    world.clock.advance(minutes(120))
    (timer,) = (given for each in lived for given in each.timers)
    lived.append(world.look(timer))
    assert world.sagemaker.asked["DeleteEndpoint"] == 1
    lived.append(world.minute())
    sweeps = 4
    assert (
        measured.Life(
            reads=sum(each.reads for each in lived) - sweeps * quiet.reads,
            writes=sum(each.writes for each in lived) - sweeps * quiet.writes,
            events=sum(each.events for each in lived),
            timers=sum(len(each.timers) for each in lived),
        )
        == measured.LIFE
    )


def _as_kept(bill, kept):
    """What was counted, in the form that it is kept in; the time of a process is not compared."""
    return replace(
        kept,
        requests=sum(bill.requests.values()),
        reads=bill.reads,
        writes=bill.writes,
        series=bill.series,
    )
