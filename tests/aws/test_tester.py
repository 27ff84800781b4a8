"""The tester's stack: a message to its topic has every function ask, and tell what it measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.aws.project import PREFIX

if TYPE_CHECKING:
    from tests.aws.walking import Walk

pytestmark = pytest.mark.aws


def test_a_message_is_a_run_of_all_functions(walk: Walk) -> None:
    running = walk.running
    walk.wait(f"{PREFIX}-text")
    topic = next(
        each
        for each in running.assembly.resources("AWS::SNS::Topic")
        if each.stack.name.endswith("TesterStack")
    )
    running.standins.client("sns").publish(TopicArn=topic.ref, Message="{}")
    testers = [
        each
        for each in running.functions.values()
        if each.spec.handler == "parkade.apps.lambdas.tester.handler"
    ]
    assert testers
    for each in testers:
        each.settle()
        _, answer = each.calls[-1]
        assert not answer.failed, answer.payload.decode() + each.log()
        assert answer.document["passed"], answer.document
    figures = walk.calls("PutMetricData", Namespace="Parkade/Tester")
    assert {each["function"] for each in figures} == {each.spec.name for each in testers}
