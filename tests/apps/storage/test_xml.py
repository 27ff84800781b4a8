"""Documents in and out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.apps.storage import xml
from parkade.apps.storage.faults import Fault

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<Delete><Object><Key>&lol2;</Key></Object></Delete>"""
OUTSIDE = b"""<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Delete>&e;</Delete>"""


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50))
def test_what_is_written_is_read_again(text):
    document = xml.document(("Root", (("Key", text), ("More", (("Key", "<&>"),)))), xml.S3)
    read = xml.read(document, "Root")
    assert read.value("Key") == text
    assert read.all("More")[0].value("Key") == "<&>"


def test_line_ends_stay_what_they_are():
    document = xml.document(("Root", (("Key", "a\r\nb\tc\nd"),)))
    assert xml.read(document, "Root").value("Key") == "a\r\nb\tc\nd"


def test_namespaces_are_passed_over():
    for document in (
        b'<Root xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Key>a</Key></Root>',
        b'<s:Root xmlns:s="x"><s:Key>a</s:Key></s:Root>',
        b'<?xml version="1.0" encoding="utf-16"?><Root><Key>a</Key></Root>'.decode().encode(
            "utf-16"
        ),
    ):
        assert xml.read(document, "Root").value("Key") == "a"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(BOMB, id="entities"),
        pytest.param(OUTSIDE, id="files"),
        pytest.param(b"<!DOCTYPE Delete><Delete/>", id="doctype"),
        pytest.param(b"<a>" * 100_000, id="deep"),
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="json"),
        pytest.param(b"<Delete>", id="open"),
        pytest.param(b"<Other/>", id="other"),
        pytest.param(b"<Delete/><Delete/>", id="two"),
        pytest.param(b"<Delete>\xff</Delete>", id="encoding"),
        pytest.param(b'<?xml version="1.0" encoding="nonsense"?><Delete/>', id="unknown"),
        pytest.param(b"<Delete>&unknown;</Delete>", id="undefined"),
    ],
)
def test_what_is_hostile_or_broken_is_refused(document):
    with pytest.raises(Fault) as error:
        xml.read(document, "Delete")
    assert error.value.code == "MalformedXML"
