"""Files that cannot be used: one clear message for each problem, with file and line."""

import os

import pytest

from parkade.apps.projectfile import document
from parkade.domain.errors import InvalidInput
from tests.apps.projectfile.folder import SMALL

CASES = {
    "an unknown key": (
        SMALL + "routs: {}\n",
        "parkade.yaml:8:1: routs: unknown key 'routs': did you mean 'routes'?",
    ),
    "an unknown key within": (
        SMALL.replace("variants:", "varriants:"),
        (
            "parkade.yaml:6:5: endpoints.text.varriants: unknown key 'varriants': "
            "did you mean 'variants'?"
        ),
    ),
    "a duplicate name": (
        SMALL + "  text: {}\n",
        "parkade.yaml:8:3: the key 'text' is there twice: it is in line 5 already: keep one of them",
    ),
    "two variants of one name": (
        SMALL + "      - {name: A, model: model-a, type: ml.c5.large}\n",
        (
            "parkade.yaml:8:10: endpoints.text.variants[1].name: endpoint 'text' has two variants "
            "named 'A': give each variant a name of its own"
        ),
    ),
    "a model that is not there": (
        SMALL.replace("model: model-a", "model: modle-a"),
        (
            "parkade.yaml:7:19: endpoints.text.variants[0].model: the file has no model 'modle-a': "
            "did you mean 'model-a'?"
        ),
    ),
    "a route to an endpoint that is not there": (
        SMALL + "routes: {/text: {endpoint: picture}}\n",
        (
            "parkade.yaml:8:18: routes./text.endpoint: the file has no endpoint 'picture': "
            "there are text"
        ),
    ),
    "a reserved route": (
        SMALL + "routes: {/v1: {endpoint: text}}\n",
        (
            "parkade.yaml:8:10: routes./v1: route '/v1' is reserved for Parkade itself: "
            "reserved are /console,"
        ),
    ),
    "a wrong type": (
        SMALL + "    deploy: yes\n",
        "parkade.yaml:8:5: endpoints.text.deploy: 'yes' is not true or false",
    ),
    "a number for a text": (
        SMALL + "tags: {cost: 12}\n",
        'parkade.yaml:8:8: tags.cost: 12 is not a text: write it in quotes: "12"',
    ),
    "none of the words": (
        SMALL + "routes: {/text: {endpoint: text, auth: tokn}}\n",
        (
            "parkade.yaml:8:34: routes./text.auth: 'tokn' is none of token, public: "
            "did you mean 'token'?"
        ),
    ),
    "a key that is unknown in one of two forms": (
        SMALL + "    maintain: {stop_aftr: 3}\n",
        (
            "parkade.yaml:8:16: endpoints.text.maintain.stop_aftr: unknown key 'stop_aftr': "
            "did you mean 'stop_after'?"
        ),
    ),
    "a number that is too small": (
        SMALL + "    lease: {minutes: 0}\n",
        "parkade.yaml:8:13: endpoints.text.lease.minutes: 0 is not more than 0",
    ),
    "a number that is beyond all time and money": (
        SMALL + "    lease: {minutes: 1.0e+30}\n",
        "parkade.yaml:8:13: endpoints.text.lease.minutes: 1e+30 is more than 1e+09",
    ),
    "a count that is beyond all machines": (
        SMALL.replace("type:", f"instances: {'9' * 39}, type:"),
        "parkade.yaml:7:35: endpoints.text.variants[0].instances: ",
    ),
    "a list that is too short": (
        SMALL + "  none: {variants: []}\n",
        "parkade.yaml:8:10: endpoints.none.variants: has 0 entries; 1 at least are needed",
    ),
    "a text that is too long": (
        SMALL + f"tags: {{team: {'x' * 300}}}\n",
        f"parkade.yaml:8:8: tags.team: '{'x' * 60}' has too many characters; 256 at most are",
    ),
    "a number that is none": (
        SMALL + "monitor: {alarms: {a: {endpoint: text, metric: M, above: .nan}}}\n",
        "parkade.yaml:8:51: monitor.alarms.a.above: nan is not a number that is finite",
    ),
    "a key that is missing": (
        SMALL.replace("model: model-a, ", ""),
        "parkade.yaml:7:9: endpoints.text.variants[0].model: is missing: give model",
    ),
    "two places of a model": (
        SMALL.replace("{data", "{source: m, data"),
        "parkade.yaml:3:3: models.model-a: source and data exclude each other: give one of them",
    ),
    "a missing folder": (
        SMALL.replace('data: "s3://models/a.tar.gz"', "source: models/a"),
        "parkade.yaml:3:13: models.model-a.source: there is no folder ",
    ),
    "a missing archive": (
        SMALL.replace('data: "s3://models/a.tar.gz"', "archive: a.tar.gz"),
        "parkade.yaml:3:13: models.model-a.archive: there is no file ",
    ),
    "stages in a circle": (
        SMALL + "stages: {a: {base: b}, b: {base: c}, c: {base: a}}\nstage: a\n",
        (
            "parkade.yaml:8:42: stages build on each other in a circle: a -> b -> c -> a: "
            "take one base out"
        ),
    ),
    "a stage that builds on nothing": (
        SMALL + "stages: {prod: {base: dmeo}, demo: {}}\nstage: prod\n",
        "parkade.yaml:8:17: the file has no stage 'dmeo': did you mean 'demo'?",
    ),
    "no stage is named": (
        SMALL + "stages: {prod: {}, demo: {}}\n",
        (
            "parkade.yaml:8:1: the file has stages, and none is named: give --stage: prod, demo; "
            "or write stage: NAME into the file"
        ),
    ),
    "a stage that changes the project": (
        SMALL + "stages: {prod: {project: Other}}\nstage: prod\n",
        "parkade.yaml:8:17: stages.prod.project: a stage cannot change project",
    ),
    "a variable that is not set": (
        SMALL + "bucket: ${NOWHERE}\n",
        (
            "parkade.yaml:8:1: bucket: the variable NOWHERE is not set: set it, or give a default: "
            "${NOWHERE:-default}"
        ),
    ),
    "half a variable": (
        SMALL + "bucket: ${1}\n",
        "parkade.yaml:8:1: bucket: ${ begins no variable: write ${NAME}",
    ),
    "a secret inside": (
        SMALL.replace("pytorch-inference", "x, environment: {HF_TOKEN: abc123def}"),
        (
            "parkade.yaml:3:67: models.model-a.environment.HF_TOKEN: a secret stands here: "
            "write where it is instead, HF_TOKEN: {env: NAME} or HF_TOKEN: {file: PATH}"
        ),
    ),
    "a secret that nobody has": (
        SMALL.replace("pytorch-inference", "x, environment: {HF_TOKEN: {env: HFT}}"),
        (
            "parkade.yaml:3:67: models.model-a.environment.HF_TOKEN: the variable HFT is not set: "
            "set it: export HFT=..."
        ),
    ),
    "a name that is too long": (
        SMALL.replace("  text:", f"  {'x' * 60}:"),
        (
            f"parkade.yaml:5:3: endpoints.{'x' * 60}: the name 'Text-{'x' * 60}' has 65 characters "
            "with the project's prefix; 63 are allowed: give a shorter one"
        ),
    ),
    "a name that cannot be one": (
        SMALL.replace("  text:", "  te xt:"),
        (
            "parkade.yaml:5:3: endpoints.te xt: 'te xt' is not a usable name: "
            "use letters, digits and hyphens"
        ),
    ),
    "unreadable YAML": (
        SMALL + "  text: [\n",
        "parkade.yaml:9:1: it is not YAML: while parsing a flow node",
    ),
    "a variable between braces": (
        SMALL + "tags: {team: ${TEAM}}\n",
        (
            "parkade.yaml:8:15: it is not YAML: while parsing a flow mapping expected ',' or '}', but "
            "got '{': between braces, write variables in quotes: \"${NAME}\""
        ),
    ),
    "a tag of YAML's": (
        SMALL + "bucket: !!python/object:os.system x\n",
        "parkade.yaml:8:9: the tag 'tag:yaml.org,2002:python/object:os.system' is not taken",
    ),
    "two documents": (
        SMALL + "---\nproject: Other\n",
        "parkade.yaml:8:1: it is not YAML: expected a single document in the stream",
    ),
    "a list": ("- project\n", "parkade.yaml:1:1: it is not a mapping of keys"),
    "an empty file": ("", "parkade.yaml: it is empty: begin with: parkade init DIR"),
    "a comment alone": ("# project: Text\n", "parkade.yaml: it is empty"),
    "not UTF-8": (
        SMALL.encode() + b"bucket: \xff\n",
        "parkade.yaml:8: it is not UTF-8 text: save it as UTF-8",
    ),
    "a control character": ("project: \x00\n", "parkade.yaml: it is not YAML: unacceptable"),
    "deep nesting": (
        "project: " + "[" * 100_000,
        "parkade.yaml:1:49: it is nested more than 40 deep",
    ),
    "a billion laughs": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "it has more than 100,000 values, aliases expanded",
    ),
    "an alias within itself": (
        "models: &a {x: *a}\n",
        "parkade.yaml:1:9: an alias stands within what it stands for",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_line_says_where_what_and_what_to_do(folder, name):
    text, wanted = CASES[name]
    (told,) = folder.refused(text)
    assert wanted in told, told


def test_all_problems_of_a_file_are_told_in_the_order_of_their_lines(folder):
    text = SMALL.replace("image: pytorch", "imgae: pytorch") + "stagex: 1\nregion: nowhere\n"
    told = folder.refused(text)
    assert [line.split(": ")[1] for line in told] == ["models.model-a.imgae", "stagex", "region"]


def test_what_sections_do_not_find_in_each_other_is_told_with_what_the_folder_lacks(folder):
    text = SMALL.replace('data: "s3://models/a.tar.gz"', "source: models/a")
    told = folder.refused(text + "routes: {/text: {endpoint: tekst}}\n")
    assert [line.split(":")[1] for line in told] == ["3", "8"]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("p.json", '{"project": "T",\n "projekt": 1}', "p.json:2:2: projekt: unknown key"),
        (
            "p.json",
            '{"project": "T",\n "project": "U"}',
            "p.json:2:2: the key 'project' is there t",
        ),
        ("p.json", '{"project": }', "p.json:1:13: it is not JSON: expecting value"),
        ("p.json", '{"project": NaN}', "p.json: it is not JSON: NaN is no number of JSON's"),
        ("p.json", '{"a":' * 50 + "1" + "}" * 50, "p.json:1:201: it is nested more than 40 deep"),
        ("p.toml", 'project = "T"\nprojekt = 1\n', "p.toml:2:1: projekt: unknown key 'projekt'"),
        ("p.toml", '[models.m]\ndata="x"\nimage="y"\n', "p.toml:1: "),
        ("p.toml", "project =\n", "p.toml:1:10: it is not TOML: invalid value"),
        ("p.toml", f"a = {'9' * 5000}", "p.toml: it is not TOML: a number has too many digits"),
        ("p.toml", "a = 1\na = 2\n", "it is not TOML: cannot overwrite a value"),
        ("p.txt", "project: T", "p.txt: .txt is no kind of project file: write YAML, JSON or TOML"),
        ("p", "project: T", "p: a name without ending is no kind of project file"),
    ],
)
def test_other_kinds_of_files_are_told_in_the_same_way(folder, name, text, wanted):
    told = folder.refused(text, name=name)
    if name == "p.toml" and wanted == "p.toml:1: ":
        assert told == [
            "p.toml:1:1: project: is missing: give project",
            "p.toml:2:1: models.m.data: 'x' is not usable: it has to match ^s3://[^/\\s]+(/.*)?$",
        ]
    else:
        assert any(wanted in line for line in told), told


def test_tables_of_toml_have_lines(folder):
    text = (
        'project = "T"\n[models.m]\nimage = "x"\n\n[endpoints.text]\n'
        '[[endpoints.text.variants]]\nname = "A"\nmodel = "m"\ntype = "ml.c5.large"\n'
        '[[endpoints.text.variants]]\nname = "A"\nmodel = "n"\ntype = "ml.c5.large"\n'
        '[monitor.alarms."slow"]\nmetric = """\nendpoint = 1"""\nendpoint = "tekst"\nabove = 1\n'
    )
    assert [line.split(": ")[0] for line in folder.refused(text, name="p.toml")] == [
        "p.toml:11:1",
        "p.toml:12:1",
        "p.toml:17:1",
    ]


def test_a_folder_in_place_of_a_file(folder):
    (folder.path / "parkade.yaml").mkdir()
    (told,) = folder.refused()
    assert told.startswith("parkade.yaml: it is a folder: name the file: ")


def test_a_pipe_in_place_of_a_file_is_not_waited_for(folder):
    os.mkfifo(folder.path / "pipe.yaml")
    assert folder.refused(name="pipe.yaml") == ["pipe.yaml: it is a pipe, and no file"]


def test_no_file(folder):
    (told,) = folder.refused()
    assert told == (
        "parkade.yaml: there is no such file: check the path; parkade init DIR makes a new project"
    )


def test_nonsense_without_end_is_refused_unread(folder):
    # More than anybody can read; what is not written takes no room on the disk.
    os.truncate(folder.write(b"\x93}{: nonsense ["), 2**42)
    (told,) = folder.refused()
    assert told == (
        "parkade.yaml: it is larger than 1 MB, which no project file is: is it the right file?"
    )


@pytest.mark.parametrize("piece", [b"\xff\xfe", b"}{:[,", b"a: &a\n", b"- " * 7, b"'\"", b"\t"])
def test_nonsense_of_any_kind_has_one_message(folder, piece):
    (told,) = folder.refused(piece * 5_000)
    assert told.startswith("parkade.yaml")


def test_an_archive_that_is_none(folder):
    folder.write("not an archive", "a.tar.gz")
    text = SMALL.replace('data: "s3://models/a.tar.gz"', "archive: a.tar.gz")
    (told,) = folder.refused(text)
    assert "is no archive (.tar.gz)" in told


@pytest.mark.parametrize(
    ("cases", "wanted"),
    [
        (None, "there is no file "),
        ("{", "is not usable JSON"),
        ("[]", "is not a list of cases"),
        ('[{"id": 1}]', "case 1: a case has id, input, expected"),
        (" " * 1_000_001, "it is larger than 1 MB, which no file of cases is"),
    ],
)
def test_cases_that_cannot_be_used(folder, cases, wanted):
    if cases is not None:
        folder.write(cases, "cases.json")
    text = SMALL + "tester: {endpoint: text, cases: cases.json}\n"
    (told,) = folder.refused(text)
    assert told.startswith("parkade.yaml:8:26: tester.cases: ")
    assert wanted in told


def test_an_unknown_stage(folder):
    text = SMALL + "stages: {demo: {}, prod: {base: demo}}\n"
    (told,) = folder.refused(text, stage="prdo")
    assert told == "parkade.yaml:8:1: the file has no stage 'prdo': did you mean 'prod'?"


def test_a_file_of_one_stage_has_no_other(folder):
    (told,) = folder.refused(SMALL + "stage: Demo\n", stage="prod")
    assert told == "parkade.yaml: the file has no stage 'prod': there are Demo"


def test_not_more_is_told_than_somebody_reads(folder):
    told = folder.refused(SMALL + "".join(f"x{number}: 1\n" for number in range(80)))
    assert (len(told), told[-1]) == (51, "parkade.yaml: and 30 more")


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_document_that_is_no_mapping_is_told_as_one(body):
    with pytest.raises(InvalidInput, match=r"^the document: .* is not a mapping of keys to values"):
        document.read(body)
