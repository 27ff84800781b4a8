"""Requests a second and requests under way, from gateways' reports."""

from dataclasses import dataclass

from parkade.apps.control.traffic import WINDOW, Traffic, TrafficView


@dataclass
class Counted:
    invocations: int
    in_flight: int


class Seconds:
    value = 100.0

    def __call__(self):
        return self.value


def test_what_nobody_reported_is_no_traffic():
    assert TrafficView(Seconds())("demo") == Traffic(0.0, 0)


def test_requests_are_averaged_over_the_window_and_added_over_variants_and_gateways():
    seconds = Seconds()
    view = TrafficView(seconds)
    view.report("a", {"demo": {"blue": Counted(6, 1), "green": Counted(4, 2)}})
    view.report("b", {"demo": {"blue": Counted(5, 3)}, "other": {"blue": Counted(50, 0)}})
    assert view("demo") == Traffic(15 / WINDOW, 6)


def test_old_reports_are_forgotten():
    seconds = Seconds()
    view = TrafficView(seconds)
    view.report("a", {"demo": {"blue": Counted(10, 0)}})
    seconds.value += WINDOW + 0.1
    assert view("demo") == Traffic(0.0, 0)


def test_requests_under_way_in_a_gateway_that_is_gone_are_forgotten():
    view = TrafficView(Seconds())
    view.report("a", {"demo": {"blue": Counted(0, 7)}})
    view.forget("a")
    assert view("demo").in_flight == 0
