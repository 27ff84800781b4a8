"""What the command line shows of projects fits its width, and says what there is to say."""

import io

import pytest
from rich.console import Console

from parkade.apps.cli import applicationviews, differenceviews, projectviews
from parkade.domain.project import audience, contents
from parkade.domain.project.thresholds import Thresholds

DIGEST = "0123456789abcdef" * 4
FORMER = f"s3://textclassificationdemo-archive/TextClassificationDemo/{DIGEST}.tar.gz"
NEW = FORMER.replace("0123", "9876")
AT = "2026-03-01T12:00:00Z"


def drawn(renderable, columns):
    """Return the lines of a terminal so wide; none is wider."""
    out = io.StringIO()
    Console(file=out, width=columns, force_terminal=False).print(renderable, highlight=False)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    return [line.rstrip() for line in lines]


def usd(amount, *unpriced):
    return {"usd": amount, "unpriced": list(unpriced)}


def a_field(path, before, after, *, hidden=False):
    return {"path": path, "before": before, "after": after, "hidden": hidden}


def a_change(verb, kind, name, **changes):
    blank = {
        "verb": verb,
        "kind": kind,
        "name": name,
        "key": name,
        "fields": [],
        "formers": [],
        "monthly_before": None,
        "monthly_after": None,
        "reason": "",
    }
    return blank | changes


def a_difference(*changes, **more):
    blank = {
        "project": "TextDemo",
        "plan_id": "1",
        "changes": list(changes),
        "problems": [],
        "monthly_before": usd("0.00"),
        "monthly_after": usd("0.00"),
        "stays": [],
        "unchanged": 0,
    }
    return blank | more


def told(*changes, columns=200, **more):
    return drawn(differenceviews.difference(a_difference(*changes, **more)), columns)


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        (400, [f"    data_url: {FORMER} → {NEW}"]),
        (
            80,
            [
                "    data_url:",
                f"      - {FORMER[:72]}",
                f"        {FORMER[72:]}",
                f"      + {NEW[:72]}",
                f"        {NEW[72:]}",
            ],
        ),
    ],
)
def test_a_member_is_told_on_one_line_where_there_is_room(columns, lines):
    field = a_field("data_url", FORMER, NEW)
    shown = told(
        a_change("replace", "model", "TextDemo-a-2", formers=["TextDemo-a-1"], fields=[field]),
        columns=columns,
    )
    assert shown[2:4] == ["-/+ replace model TextDemo-a-2", "    in place of TextDemo-a-1"]
    assert shown[4 : 4 + len(lines)] == lines


def test_values_are_told_as_json_and_secrets_not_at_all():
    fields = [
        a_field("rate", None, {"burst": 2}),
        a_field("text", "", "two  words"),
        a_field("public", True, False),
        a_field("environment.TOKEN", None, None, hidden=True),
    ]
    assert told(a_change("change", "route", "/text", fields=fields))[3:7] == [
        '    rate: none → {"burst": 2}',
        '    text: "" → two words',
        "    public: true → false",
        "    environment.TOKEN: a secret, another one than before",
    ]


def test_members_of_what_is_new_have_no_before():
    fields = [a_field("image", None, "sklearn"), a_field("token", None, None, hidden=True)]
    assert told(a_change("create", "model", "a", fields=fields))[3:5] == [
        "    image: sklearn",
        "    token: a secret",
    ]


def new(kind, content, name="TextDemo-a", columns=200):
    fields = [a_field(each.path, None, each.after) for each in contents.fields({}, content)]
    return told(a_change("create", kind, name, fields=fields), columns=columns)[3:-2]


@pytest.mark.parametrize(
    ("kind", "content", "lines"),
    [
        (
            "endpoint",
            {
                "deploy": True,
                "metered": True,
                "scaling": {},
                "productionVariants": [
                    {
                        "VariantName": "A",
                        "InitialVariantWeight": 9.0,
                        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
                    },
                    {"VariantName": "B", "RoutingConfig": {"RoutingStrategy": "RANDOM"}},
                ],
                "tags": {"parkade:project": "TextDemo", "environment": "Demo", "team": "nlp"},
            },
            [
                "productionVariants[A].InitialVariantWeight: 9.0",
                "productionVariants[B].RoutingConfig.RoutingStrategy: RANDOM",
                "tags.team: nlp",
            ],
        ),
        (
            "endpoint",
            {"deploy": False, "tags": {"environment": "mine"}},
            ["deploy: false", "tags.environment: mine"],
        ),
        ("route", {"public": True, "project": "TextDemo"}, ["public: true"]),
        ("route", {"public": False, "endpoint_name": "e"}, ["endpoint_name: e"]),
        (
            "tester",
            {"cases": [{"id": 1}] * 4, "clients": 5, "stage": "Demo", "timeout_seconds": 120.0},
            ["cases: 4", "clients: 5"],
        ),
        (
            "subscriber",
            {"to": ["a@b.c", "d@e.f"], "kinds": list(audience.KINDS), "alarms": list("abcd")},
            ["alarms: 4", "to: a@b.c, d@e.f"],
        ),
        ("subscriber", {"kinds": ["lease."], "projects": ["TextDemo"]}, ["kinds: lease."]),
    ],
)
def test_of_what_is_new_is_told_what_the_file_says_of_it(kind, content, lines):
    assert new(kind, content) == [f"    {each}" for each in lines]


def test_a_new_alarm_is_told_in_a_line():
    content = Thresholds().contents("TextDemo")["errors-5xx"]
    topics = {"AlarmActions": ["arn:aws:sns:us-east-1:1:t"]}
    mark = {"Tags": [{"Key": "parkade:project", "Value": "TextDemo"}]}
    line, told_of = new("alarm", {**content, **topics, **mark})
    assert line.startswith("    Sum of AWS/ApiGateway 5XXError ApiName=TextDemo greater than or")
    assert line.endswith(" equal to 20 for 1 of 1 periods of 60 s")
    assert told_of == "    AlarmActions: arn:aws:sns:us-east-1:1:t"


def test_a_new_alarm_of_which_more_is_known_elsewhere_is_told_by_its_members():
    assert new("alarm", {"Colour": "red"}) == ["    Colour: red"]


@pytest.mark.parametrize("columns", [80, 120, 1000])
def test_a_long_value_of_what_is_new_loses_its_middle(columns):
    (line,) = new("model", {"data_url": f"s3://b/{'x' * 200}/m.tar.gz"}, columns=columns)
    assert line.startswith("    data_url: s3://b/x")
    assert " … " in line
    assert line.endswith("x/m.tar.gz")
    assert len(line) in range(min(columns, 120) - 2, min(columns, 120) + 1)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (None, usd("173.74"), "    173.74 USD a month, while it runs"),
        (usd("173.74"), None, "    173.74 USD a month before"),
        (
            usd("1.00"),
            usd("2.00"),
            "    1.00 USD a month before, 2.00 USD a month after, while it runs",
        ),
        (usd("1.00"), usd("1.00"), "    1.00 USD a month, as before"),
        (None, usd("0.00", "ml.x"), "    no price is known for ml.x, while it runs"),
        (None, usd("0.00"), ""),
    ],
)
def test_the_price_of_a_month_is_told_of_each_part_that_has_one(before, after, line):
    change = a_change("change", "endpoint", "text", monthly_before=before, monthly_after=after)
    assert told(change)[3] == line


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (usd("0.00"), usd("2.00"), "nothing before, 2.00 USD a month after, while all of it runs"),
        (usd("2.00"), usd("0.00"), "2.00 USD a month before, nothing after"),
        (usd("2.00"), usd("2.00"), "2.00 USD a month while all of it runs, as before"),
        (
            usd("1.00"),
            usd("0.00", "ml.x"),
            "1.00 USD a month before, no price is known for ml.x after, while all of it runs",
        ),
    ],
)
def test_the_price_of_all_of_it_is_told_at_the_end(before, after, line):
    shown = told(a_change("remove", "route", "/a"), monthly_before=before, monthly_after=after)
    assert shown[-1] == f"price  {line}"


def test_what_is_counted_what_stays_and_what_is_wrong_are_told():
    problem = {
        "message": "there is no image x.",
        "hint": "name another",
        "kind": "model",
        "name": "a",
        "field": "image",
    }
    shown = told(
        a_change("create", "model", "a"),
        a_change("remove", "route", "/a"),
        unchanged=1,
        stays=["captured data: s3://captured/"],
        problems=[problem, problem | {"kind": None, "hint": ""}],
    )
    assert shown[0] == "TextDemo: 1 to create, 1 to remove, 1 stays as it is"
    assert shown[-3:] == [
        "stays    captured data: s3://captured/",
        "problem  model a: there is no image x; name another",
        "problem  there is no image x",
    ]


def a_step(verb, kind, key, **changes):
    blank = {
        "verb": verb,
        "kind": kind,
        "name": f"TextDemo-{key}",
        "key": key,
        "started_at": None,
        "ended_at": None,
        "outcome": None,
        "text": "",
        "retries": [],
    }
    return blank | changes


def an_application(*steps, **changes):
    blank = {
        "id": "5f0c1a9d2b7e",
        "project": "TextDemo",
        "purpose": "apply",
        "status": "running",
        "reason": "",
        "actor": "ann",
        "cancelled_by": "",
        "plan_id": "1",
        "begun_at": AT,
        "ended_at": None,
        "took_seconds": 5.0,
        "steps": list(steps),
        "stays": [],
        "version": 1,
    }
    return blank | changes


@pytest.mark.parametrize("columns", [80, 120])
def test_each_step_has_its_sign_its_time_and_what_came_of_it(columns):
    lines = drawn(
        applicationviews.progress(
            an_application(
                a_step("create", "model", "a", started_at=AT, ended_at=AT, outcome="done"),
                a_step("create", "endpoint", "text", started_at=AT, text="it is starting"),
                a_step("create", "route", "/text"),
            )
        ),
        columns,
    )
    assert lines == [
        "TextDemo  application 5f0c1a9d2b7e, 5.0 s",
        "✓  create model a        0.0 s",
        "◌  create endpoint text  5.0 s  it is starting",
        "·  create route /text",
    ]


@pytest.mark.parametrize("columns", [80, 120])
def test_names_of_steps_get_what_they_need_up_to_half_of_the_width(columns):
    words = "it is not brought up: parkade add TextDemo-TextClassification --config TextDemo-config"
    step = a_step("create", "endpoint", "TextClassification", started_at=AT, text=words)
    lines = drawn(applicationviews.Steps(an_application(step)), columns)
    assert lines[0].startswith("◌  create endpoint TextClassification  5.0 s  it is not brought")
    lines = drawn(applicationviews.Steps(an_application(step | {"key": "x" * 63})), columns)
    cut = f"create endpoint {'x' * 63}"[: columns // 2 - 1]
    assert lines[0].startswith(f"◌  {cut}…  5.0 s  it is not brought")


def a_part(kind, key, **changes):
    blank = {
        "kind": kind,
        "name": f"TextDemo-{key}",
        "key": key,
        "state": "there",
        "text": "",
        "troubled": False,
        "used_by": [],
        "endpoint": None,
    }
    return blank | changes


def a_status(*parts, **application):
    return {
        "project": {"prefix": "TextDemo", "application": an_application(**application)},
        "parts": list(parts),
        "hourly": usd("0.31"),
    }


@pytest.mark.parametrize("columns", [80, 120])
def test_the_page_fits_its_width_whatever_the_parts_are_called(columns):
    long = "a-very-long-key-that-somebody-gave-to-it-in-the-file-of-a-project"
    view = a_status(
        *(a_part(kind, long, text="words " * 30) for kind in ("endpoint", "route", "model"))
    )
    lines = drawn(projectviews.status(view, "http://127.0.0.1:8700"), columns)
    assert lines[0] == "TextDemo"


def test_the_page_says_how_the_last_application_went():
    failed = a_status(status="failed", reason="no worker\nanswers", ended_at=AT)
    lines = drawn(projectviews.status(failed, "http://x"), 200)
    assert lines[1:3] == [
        "last  ✗ failed, 2026-03-01 12:00:00 UTC, application 5f0c1a9d2b7e by ann",
        "      no worker answers",
    ]
    cancelled = a_status(status="cancelled", cancelled_by="bob", purpose="destroy", reason="bob")
    lines = drawn(projectviews.status(cancelled, "http://x"), 200)
    assert lines[1].startswith("last  ○ called off by bob, ")
    assert "removal 5f0c1a9d2b7e" in lines[1]
    unreadable = a_status()
    unreadable["project"]["application"] = None
    assert "cannot be read" in drawn(projectviews.status(unreadable, "http://x"), 200)[1]


def test_parts_that_somebody_should_look_at_stand_out():
    view = a_status(
        a_part("budget", "budget", name="ann"),
        a_part("route", "/text", name="/text", state="missing", troubled=True),
        a_part("model", "a", used_by=["text"]),
        a_part("model", "b"),
    )
    lines = drawn(projectviews.status(view, "http://x"), 200)
    assert "/text  ✗ missing  http://x/text" in lines
    assert "a      ✓ there  serves text; TextDemo-a" in lines
    assert "b      ✓ there  not served; TextDemo-b" in lines
    assert "ann     ✓ there" in lines


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"difference": a_difference()}, "p.yaml does not differ from what is there"),
        (
            {"difference": a_difference(a_change("create", "model", "a"))},
            "p.yaml differs: 1 to create; see: parkade apply --dry-run",
        ),
        (
            {"difference": a_difference(problems=[{}])},
            "p.yaml cannot be applied: 1 problem; see: parkade apply --dry-run",
        ),
        ({"trouble": "no such folder"}, "p.yaml: no such folder"),
    ],
)
def test_the_page_says_how_the_file_stands_to_the_server(file, words):
    assert projectviews.File(name="p.yaml", **file).words.plain == words
