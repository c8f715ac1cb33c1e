"""What the tests of all clients need: queues of their own, programs that take
from them, and a journal of what those did.

SQS is where AWS_ENDPOINT_URL says."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

import boto3

PATIENCE = 300  # seconds: the machine may be busy

sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]


def name():
    return "client-" + uuid.uuid4().hex[:12]


def left(queue):
    """How many messages a queue holds, in whichever state."""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=COUNTS)["Attributes"].values()))


def create_with_dead_letters(queue, receives, **attributes):
    """Makes a queue and the one that takes its dead letters; returns the latter's name."""
    dead = "dead-" + queue
    fifo = {"FifoQueue": "true"} if queue.endswith(".fifo") else {}
    url = sqs.create_queue(QueueName=dead, Attributes=fifo)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
    sqs.create_queue(QueueName=queue, Attributes={"RedrivePolicy": policy, **fifo, **attributes})
    return dead


class Journal:
    """A file that many processes add lines to."""

    def __init__(self, path):
        self.path = path

    def add(self, *fields):
        with open(self.path, "ab", buffering=0) as f:
            f.write((json.dumps(fields) + "\n").encode())

    def read(self):
        if not os.path.exists(self.path):
            return []
        with open(self.path) as f:
            return [tuple(json.loads(line)) for line in f if line.endswith("\n")]


class ClientTest(unittest.TestCase):
    """Has a journal, and programs that end with the test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.journal = Journal(os.path.join(self.folder, "journal"))

    def start(self, *args, **env):
        program = subprocess.Popen([sys.executable, *args], cwd=os.path.dirname(os.path.abspath(__file__)), start_new_session=True,
                                   env={**os.environ, "JOURNAL": self.journal.path, **env})
        self.addCleanup(self.stop, program)
        return program

    def stop(self, program):
        program.terminate()
        program.wait(timeout=PATIENCE)

    def kill_all(self, program):
        """Kills a program and its children: none of them can give anything back."""
        os.killpg(program.pid, signal.SIGKILL)
        program.wait(timeout=PATIENCE)

    def eventually(self, said, want, get):
        """Waits until get() is want, and fails when it goes past it."""
        deadline = time.monotonic() + PATIENCE
        while (got := get()) != want:
            self.assertLess(time.monotonic(), deadline, f"{said}: {got}, not {want}")
            time.sleep(0.1)

    def done(self, *queues):
        for queue in queues:
            self.eventually(f"messages left in {queue}", 0, lambda: left(queue))
