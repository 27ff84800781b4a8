"""A dashboard as JSON that Grafana imports: rows, panels, and queries of Prometheus.

Where the data comes from is a variable of the dashboard, so that it can be imported, provisioned and
moved without a word being changed in it. Its `uid` follows from the title: importing it anew replaces
the former one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parkade.domain.dashboard.panel import Dashboard, Panel, Query

#: The form of Grafana's dashboards, as of Grafana 11.
SCHEMA = 41
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
#: Grafana's grid is so many columns wide.
_WIDTH = 24
_HEIGHT = 8
_ACROSS = 3
#: Grafana's limit of a uid.
_UID = 40
_FIRING = "parkade_alarm_firing"


def written(dashboard: Dashboard) -> dict[str, Any]:
    """Return the dashboard. What Prometheus has no query for is left out."""
    return {
        "__requires": [
            {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "11.0.0"},
            {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
        ],
        "id": None,
        "uid": uid(dashboard.title),
        "title": dashboard.title,
        "description": f"Project {dashboard.title} of Parkade: calls, endpoints, cost, alarms.",
        "tags": ["parkade", "parkade-project"],
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "schemaVersion": SCHEMA,
        "version": 1,
        "timezone": "",
        "time": {"from": "now-3h", "to": "now"},
        "annotations": {"list": []},
        "links": [],
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Prometheus",
                    "type": "datasource",
                    "query": "prometheus",
                    "refresh": 1,
                    "hide": 0,
                    "multi": False,
                    "includeAll": False,
                    "regex": "",
                    "options": [],
                    "current": {},
                }
            ]
        },
        "panels": list(_numbered(dashboard)),
    }


def uid(title: str) -> str:
    """Return an id that the same project has every time, and another does not."""
    plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in f"parkade-{title}")
    if len(plain) <= _UID:
        return plain
    fingerprint = hashlib.sha256(title.encode()).hexdigest()[:8]
    return f"{plain[: _UID - 9]}-{fingerprint}"


def _numbered(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    for number, panel in enumerate(_placed(dashboard), 1):
        yield {"id": number, **panel}


def _placed(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    """Lay rows out one below the other, each with its panels side by side."""
    top = 0
    if dashboard.alarms:
        yield _row("Alarms", top)
        yield _alarms(dashboard, top + 1)
        top += 1 + _HEIGHT
    for row in dashboard.rows:
        panels = [panel for panel in row.panels if panel.queries]
        if not panels:
            continue
        yield _row(row.title, top)
        top += 1
        for start in range(0, len(panels), _ACROSS):
            beside = panels[start : start + _ACROSS]
            width = _WIDTH // len(beside)
            for place, panel in enumerate(beside):
                grid = {"x": place * width, "y": top, "w": width, "h": _HEIGHT}
                yield _panel(panel, grid)
            top += _HEIGHT


def _row(title: str, top: int) -> dict[str, Any]:
    return {
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": {"x": 0, "y": top, "w": _WIDTH, "h": 1},
        "panels": [],
    }


def _panel(panel: Panel, grid: dict[str, int]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.grafana_unit, "min": 0}
    drawn: dict[str, Any] = {
        "type": "stat" if panel.now else "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "gridPos": grid,
        "targets": _targets(panel.queries, instant=panel.now),
    }
    if panel.now:
        options: dict[str, Any] = _latest()
    else:
        defaults["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 10,
            "showPoints": "never",
            "spanNulls": False,
        }
        options = {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return {**drawn, "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options}


def _alarms(dashboard: Dashboard, top: int) -> dict[str, Any]:
    """Return the panel of alarms: each by its name, green or red."""
    states = {
        "0": {"text": "not in ALARM", "color": "green", "index": 0},
        "1": {"text": "ALARM", "color": "red", "index": 1},
    }
    query = f'{_FIRING}{{project="{dashboard.title}"}}'
    return {
        "type": "stat",
        "title": "Alarms",
        "description": "The alarms of the project.",
        "datasource": _SOURCE,
        "gridPos": {"x": 0, "y": top, "w": _WIDTH, "h": _HEIGHT},
        "targets": [
            {
                "refId": "A",
                "datasource": _SOURCE,
                "expr": query,
                "legendFormat": "{{alarm}}",
                "instant": True,
            }
        ],
        "fieldConfig": {
            "defaults": {"mappings": [{"type": "value", "options": states}]},
            "overrides": [],
        },
        "options": {**_latest(), "colorMode": "background"},
    }


def _latest() -> dict[str, Any]:
    return {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "value_and_name",
    }


def _targets(queries: Sequence[Query], *, instant: bool) -> list[dict[str, Any]]:
    return [
        {
            "refId": _reference(number),
            "datasource": _SOURCE,
            "expr": query.expression,
            "legendFormat": query.legend,
            "instant": instant,
        }
        for number, query in enumerate(queries)
    ]


def _reference(number: int) -> str:
    """Return A, B .. Z, AA, AB: what Grafana calls queries."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
