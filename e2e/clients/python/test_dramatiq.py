"""Dramatiq, by dramatiq-sqs, which uses boto3's resources: producers and workers
as its users have them.

Run it with `make e2e-clients`."""

import time
import unittest
from collections import Counter

import dramatiq_app
from queues import ClientTest, left, name, sqs


class TestDramatiq(ClientTest):
    def setUp(self):
        super().setUp()
        self.queue = name()
        dramatiq_app.broker.declare_queue(self.queue)

    def send(self, actor, *args, delay=None):
        message = actor.message_with_options(args=args).copy(queue_name=self.queue)
        dramatiq_app.broker.enqueue(message, delay=delay)

    def worker(self, *args, **env):
        return self.start("-m", "dramatiq", "dramatiq_app", "--processes", "1", *(args or ("--threads", "4")), QUEUE=self.queue, **env)

    def journaled(self, want):
        self.eventually("the journal", Counter(want), lambda: Counter(self.journal.read()))

    def join(self):
        """Waits as its users' tests do."""
        dramatiq_app.broker.join(self.queue)
        self.assertEqual(left("client_" + self.queue), 0)

    def test_every_message_once_by_three_workers(self):
        texts = [f"é {i} < & > \U0001F600" for i in range(150)]
        for text in texts[:50]:  # before there is a worker
            self.send(dramatiq_app.note, text)
        for _ in range(3):
            self.worker()
        for text in texts[50:]:
            self.send(dramatiq_app.note, text)
        self.journaled((t,) for t in texts)
        self.join()
        self.assertEqual(len(self.journal.read()), len(texts))
        url = sqs.get_queue_url(QueueName="client_" + self.queue)["QueueUrl"]
        self.assertEqual(sqs.list_queue_tags(QueueUrl=url)["Tags"], {"made-by": "dramatiq"})

    def test_retries_then_the_dead_letter_queue(self):
        for n in range(4):
            self.send(dramatiq_app.fails, n)
        self.worker()
        self.eventually("dead letters", 4, lambda: left(f"client_{self.queue}_dlq"))
        self.join()
        self.assertEqual(Counter(self.journal.read()), Counter({("try", n): 3 for n in range(4)}))

    def test_delay(self):
        self.worker()
        self.send(dramatiq_app.note, "now")
        self.send(dramatiq_app.at, time.time() + 2, delay=2000)
        self.journaled([("now",), ("due",)])
        self.join()

    def test_the_message_of_a_killed_worker_comes_back(self):
        self.send(dramatiq_app.hang_once, "x", self.journal.path + ".begun")
        doomed = self.worker(VISIBILITY="3")
        self.journaled([("begun", "x")])
        self.kill_all(doomed)
        self.worker(VISIBILITY="60")
        self.journaled([("begun", "x"), ("begun", "x"), ("ended", "x")])
        self.join()

    def test_what_a_stopped_worker_had_fetched_is_given_back(self):
        for i in range(40):
            self.send(dramatiq_app.hang_once, i, self.journal.path + f".{i}")
        first = self.worker("--threads", "2", "--worker-shutdown-timeout", "1000", VISIBILITY="600")
        self.eventually("begun", 2, lambda: len(self.journal.read()))
        self.stop(first)
        url = sqs.get_queue_url(QueueName="client_" + self.queue)["QueueUrl"]
        hidden = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])["Attributes"]
        self.assertLessEqual(int(hidden["ApproximateNumberOfMessagesNotVisible"]), 2)


if __name__ == "__main__":
    unittest.main()
