"""Celery, by kombu's SQS transport: producers and workers as its users have them.

Run it with `make e2e-clients`."""

import json
import time
import unittest
from collections import Counter

from celery_app import app, at, flaky, hang_once, note, refuse
from kombu import Producer
from queues import ClientTest, create_with_dead_letters, left, name, sqs


class TestCelery(ClientTest):
    def worker(self, queue, *args, **options):
        return self.start("-m", "celery", "-A", "celery_app", "worker", "--queues", queue, "--loglevel", "INFO",
                          "--without-gossip", "--without-mingle", "--without-heartbeat",
                          *(args or ("--pool", "threads", "--concurrency", "4")), OPTIONS=json.dumps(options))

    def journaled(self, want):
        self.eventually("the journal", Counter(want), lambda: Counter(self.journal.read()))

    def test_every_task_once_by_three_workers(self):
        queue = name()
        texts = [f"é {i} < & > \U0001F600" for i in range(150)]
        for text in texts[:50]:  # before there is a worker
            note.apply_async([text], queue=queue)
        for _ in range(2):
            self.worker(queue)
        self.worker(queue, "--pool", "prefork", "--concurrency", "2")
        for text in texts[50:]:
            note.apply_async([text], queue=queue)
        self.journaled((t,) for t in texts)
        self.done(queue)
        self.assertEqual(len(self.journal.read()), len(texts))

    def test_retries_and_eta(self):
        queue = name()
        self.worker(queue)
        flaky.apply_async([3], queue=queue)
        at.apply_async([time.time() + 2], queue=queue, countdown=2)
        with app.producer_pool.acquire() as producer:  # by SQS's own delay
            at.apply_async([time.time() + 2], queue=queue, producer=producer, DelaySeconds=2)
        self.journaled([("try", 0), ("try", 1), ("try", 2), ("try", 3), ("due",), ("due",)])
        self.done(queue)

    def test_fifo_keeps_the_order_of_each_group(self):
        queue = name() + ".fifo"
        for i in range(10):
            for group in "abc":
                note.apply_async([group, i], queue=queue, MessageGroupId=group)
        for _ in range(2):  # the same again within five minutes
            note.apply_async(["d", 0], queue=queue, MessageGroupId="d", MessageDeduplicationId="d-0")
        for _ in range(2):
            self.worker(queue, "--pool", "solo", "--prefetch-multiplier", "1")
        self.journaled([(g, i) for g in "abc" for i in range(10)] + [("d", 0)])
        for group in "abc":
            self.assertEqual([i for g, i in self.journal.read() if g == group], list(range(10)))
        self.done(queue)

    def test_refused_tasks_are_dead_letters_after_three_receives(self):
        queue = name()
        dead = create_with_dead_letters(queue, receives=3)
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        config = {"url": url, "access_key_id": "any", "secret_access_key": "any",
                  "backoff_policy": {str(n): 1 for n in range(1, 4)}, "backoff_tasks": [refuse.name]}
        for n in range(5):
            refuse.apply_async([n], queue=queue)
        self.worker(queue, predefined_queues={queue: config})
        self.eventually("dead letters", 5, lambda: left(dead))
        self.done(queue)
        self.assertEqual(Counter(self.journal.read()), Counter({("refused", n): 3 for n in range(5)}))

    def test_the_task_of_a_killed_worker_comes_back(self):
        queue = name()
        sqs.create_queue(QueueName=queue, Attributes={"VisibilityTimeout": "8"})
        task = hang_once.apply_async([self.journal.path + ".begun"], queue=queue).id
        doomed = self.worker(queue, "--pool", "solo", visibility_timeout=8)
        self.journaled([("begun", task)])
        self.kill_all(doomed)
        self.worker(queue, visibility_timeout=8)
        self.journaled([("begun", task), ("begun", task), ("ended", task)])
        self.done(queue)

    def test_purge(self):
        queue = name()
        for i in range(12):
            note.apply_async([i], queue=queue)
        with app.connection_for_write() as connection:
            self.assertGreaterEqual(connection.default_channel.queue_purge(queue), 12)
        self.done(queue)
        note.apply_async(["after"], queue=queue)
        self.worker(queue)
        self.journaled([("after",)])


class TestKombu(ClientTest):
    """The transport by itself: what is taken and not acknowledged."""

    def test_requeue_reject_and_ack(self):
        queue = name()
        with app.connection_for_write() as connection, connection.SimpleQueue(queue) as simple:
            for i in range(25):
                simple.put({"n": i}, compression="zlib" if i % 2 else None)
            got = []
            again = simple.get(timeout=20)
            again.requeue()
            for _ in range(25):
                message = simple.get(timeout=20)
                got.append(message.payload["n"])
                message.reject() if got[-1] == 7 else message.ack()
            self.assertEqual(Counter(got), Counter(range(25)))
            with self.assertRaises(simple.Empty):
                simple.get(block=False)
        self.done(queue)

    def test_message_attributes_go_along(self):
        queue = name()
        attributes = {"team": {"DataType": "String", "StringValue": "acme"}, "n": {"DataType": "Number", "StringValue": "7"}}
        with app.connection_for_write() as connection:
            channel = connection.channel()
            connection.SimpleQueue(queue, channel=channel)
            Producer(channel).publish({"x": 1}, routing_key=queue, message_attributes=attributes)
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        message = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["*"], WaitTimeSeconds=20)["Messages"][0]
        self.assertEqual(message["MessageAttributes"], attributes)


if __name__ == "__main__":
    unittest.main()
