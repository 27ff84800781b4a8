"""A topic of SNS, and a queue that gets what is published to it: what a test sees of messages."""

import json

from tests.aws_account import REGION, unique


class Queue:
    """A topic, and a queue that gets what is published to it."""

    def __init__(self, account, attributes=None, *, fifo=False):
        kept = {"FifoTopic": "true"} if fifo else {}
        name = unique("topic") + (".fifo" if fifo else "")
        self.arn = account.client("sns").create_topic(Name=name, Attributes=kept)["TopicArn"]
        self._sqs = account.client("sqs")
        self._url = self._sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
        account.client("sns").subscribe(
            TopicArn=self.arn,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:{REGION}:123456789012:{self._url.rpartition('/')[2]}",
            Attributes=attributes or {},
        )

    def take(self):
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        return [json.loads(each["Body"]) for each in answer.get("Messages", ())]
