"""Topics: as files, and by HTTP to receivers that listen, refuse, stumble or are not there."""

import json

import pytest

from parkade.adapters.folder.topics import FolderTopics
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.topics import MemoryTopics
from parkade.adapters.webhook.topics import WebhookTopics
from parkade.domain.errors import InvalidInput, Unavailable
from tests.adapters.receiver import receiver
from tests.adapters.test_webhook import dripping
from tests.builders import NOW
from tests.house import PATIENCE

ARN = "arn:aws:sns:us-east-1:000000000000:results"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def webhook(url, others=None):
    others = others or MemoryTopics()
    return WebhookTopics(
        lambda: {"results": url}, others, ManualClock(NOW), patience=PATIENCE, pause=0.01
    )


def test_a_message_is_a_file_in_the_topics_folder(tmp_path):
    topics = FolderTopics(tmp_path / "topics", ManualClock(NOW))
    for text in ("one", "two ü"):
        topics.publish(ARN, text)
    files = list((tmp_path / "topics" / "results").iterdir())
    contents = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    assert {each["Message"] for each in contents} == {"one", "two ü"}
    assert {each["TopicArn"] for each in contents} == {ARN}
    assert contents[0]["Timestamp"] == "2026-03-01T12:00:00.000Z"
    assert all(file.suffix == ".json" for file in files)


@pytest.mark.parametrize("topic", ["", "..", "a/b", "arn:aws:sns:us-east-1:1:a b", "x" * 257])
def test_what_is_no_topic_is_refused(tmp_path, topic):
    for topics in (FolderTopics(tmp_path, ManualClock(NOW)), webhook("http://127.0.0.1:1")):
        with pytest.raises(InvalidInput, match="topic"):
            topics.publish(topic, "text")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_nothing_is_told(tmp_path):
    (tmp_path / "results").write_text("a file in its place")
    with pytest.raises(Unavailable, match="results"):
        FolderTopics(tmp_path, ManualClock(NOW)).publish(ARN, "text")


def test_a_topic_with_a_url_is_posted_to_it():
    with receiver(200) as listening:
        webhook(listening.url).publish(ARN, "text")
        [(content_type, content)] = listening.wait_for(1)
    assert content_type == "application/json"
    assert content["Type"] == "Notification"
    assert content["Message"] == "text"


def test_a_topic_without_a_url_is_left_to_the_others():
    others = MemoryTopics()
    webhook("http://127.0.0.1:1", others).publish("arn:aws:sns:us-east-1:1:else", "text")
    assert others.messages == [("arn:aws:sns:us-east-1:1:else", "text")]


def test_a_receiver_that_stumbles_is_asked_again():
    with receiver(503, 429, 200) as stumbling:
        webhook(stumbling.url).publish(ARN, "text")
        assert len(stumbling.wait_for(3)) == 3


def test_a_receiver_that_refuses_is_not_asked_again_and_not_named():
    with receiver(403) as refusing:
        with pytest.raises(Unavailable, match="403") as error:
            webhook(refusing.url).publish(ARN, "text")
        assert "hush" not in error.value.message
        assert len(refusing.wait_for(1)) == 1


def test_a_receiver_that_is_not_there_is_told(closed_port):
    with pytest.raises(Unavailable, match="results"):
        webhook(f"http://127.0.0.1:{closed_port}/").publish(ARN, "text")


def test_a_receiver_that_drips_holds_nobody_up_for_ever():
    with dripping() as url:
        topics = WebhookTopics(
            lambda: {"results": url}, MemoryTopics(), ManualClock(NOW), patience=0.2, pause=0.01
        )
        with pytest.raises(Unavailable, match="took longer"):
            topics.publish(ARN, "text")
