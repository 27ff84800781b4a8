"""Dashboards as Grafana takes them."""

from hypothesis import given

from parkade.apps.dashboards import grafana
from parkade.domain.dashboard.rows import dashboard
from parkade.domain.dashboard.subject import Subject
from tests import promql
from tests.dashboards import WHOLE, subjects


@given(subjects)
def test_grafana_can_import_it(subject):
    written = grafana.written(dashboard(subject))
    assert written["title"] == subject.prefix
    assert 0 < len(written["uid"]) <= 40
    panels = written["panels"]
    assert [each["id"] for each in panels] == list(range(1, len(panels) + 1))
    cells = [
        (x, y)
        for each in panels
        for place in [each["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells)), "panels lie on each other"
    assert all(x < 24 for x, _ in cells)
    for each in panels:
        references = [target["refId"] for target in each.get("targets", ())]
        assert len(set(references)) == len(references)
        for target in each.get("targets", ()):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            promql.parse(target["expr"])


def test_a_project_of_nothing_has_no_panels():
    empty = Subject(prefix="ShopDemo", project="Shop", stage="Demo")
    assert grafana.written(dashboard(empty))["panels"] == []


def test_the_source_of_its_data_is_chosen_in_grafana():
    (variable,) = grafana.written(dashboard(WHOLE))["templating"]["list"]
    assert (variable["name"], variable["type"]) == ("datasource", "datasource")
    assert variable["query"] == "prometheus"


def test_long_names_that_begin_alike_are_told_apart():
    first, second = (grafana.uid(f"{'a' * 60}{end}") for end in "xy")
    assert first != second
    assert max(len(first), len(second)) <= 40
    assert grafana.uid("ShopDemo") == "parkade-ShopDemo"
