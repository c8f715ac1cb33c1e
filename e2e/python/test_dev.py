"""Other people's clients against efferent dev: a producer with boto3, and a
receiver with the Standard Webhooks library of another language.

Run it with `make test-python`, which builds the command and installs the
libraries."""

import http.server
import json
import os
import queue
import re
import signal
import subprocess
import threading
import unittest

import boto3
from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NAME = "efferent/webhooks/python"
PATIENCE = 300  # seconds: the machine may be busy


class Receiver(http.server.ThreadingHTTPServer):
    """Fails as often as a path says (/fail/2), verifies what arrives."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.arrivals = queue.Queue()
        self.counts = {}

    def url(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        ident = self.headers["webhook-id"]
        self.server.counts[ident] = self.server.counts.get(ident, 0) + 1
        try:
            Webhook(SECRET).verify(body, dict(self.headers.items()))
            problem = None
        except Exception as e:
            problem = repr(e)
        failures = re.match(r"/fail/(\d+)", self.path)
        status = 503 if failures and self.server.counts[ident] <= int(failures[1]) else 204
        self.send_response(status)
        self.end_headers()
        self.server.arrivals.put((ident, body, problem))

    def log_message(self, *args):
        pass


class TestDev(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = [os.environ["EFFERENT"], "dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", ":memory:"]
        cls.dev = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = cls.dev.stdout.readline()
        cls.aws = re.match(r"ready aws=(\S+) http=\S+ data=:memory:$", line)[1]
        options = dict(endpoint_url=cls.aws, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
        cls.sqs, cls.secrets = boto3.client("sqs", **options), boto3.client("secretsmanager", **options)
        cls.secrets.create_secret(Name=NAME, SecretString=SECRET)
        cls.webhooks = cls.sqs.get_queue_url(QueueName="webhooks")["QueueUrl"]
        cls.failures = cls.sqs.get_queue_url(QueueName="webhook-failures")["QueueUrl"]
        cls.receiver = Receiver()
        threading.Thread(target=cls.receiver.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.receiver.shutdown()
        cls.receiver.server_close()
        cls.dev.send_signal(signal.SIGTERM)
        code = cls.dev.wait(timeout=PATIENCE)
        cls.dev.stdout.close()
        assert code == 0, f"efferent dev ended with {code}"

    def message(self, ident, path, body=None, **more):
        return json.dumps({"id": ident, "url": self.receiver.url(path), "secret": NAME, "event_type": "python.test",
                           "body": body if body is not None else {"id": ident}, **more})

    def arrival(self):
        ident, body, problem = self.receiver.arrivals.get(timeout=PATIENCE)
        self.assertIsNone(problem)
        return ident, body

    def test_verified_after_a_retry_too(self):
        body = {"text": "é \u2028 < &", "number": 1.50}
        self.sqs.send_message(QueueUrl=self.webhooks, MessageBody=self.message("evt_retry", "/fail/1", body), MessageGroupId="acme")
        for _ in range(2):
            ident, got = self.arrival()
            self.assertEqual(ident, "evt_retry")
            self.assertEqual(got.decode(), json.dumps(body))

    def test_batch_with_poison(self):
        good = {f"evt_{i}" for i in range(8)}
        bodies = [self.message(i, "/") for i in sorted(good)] + ["{", self.message("evt_bad", "/", evnt_type="x")]
        out = self.sqs.send_message_batch(QueueUrl=self.webhooks,
                                          Entries=[{"Id": str(i), "MessageBody": b} for i, b in enumerate(bodies)])
        self.assertEqual(len(out["Successful"]), 10)
        self.assertEqual({self.arrival()[0] for _ in good}, good)
        parked = {}
        while len(parked) < 2:
            out = self.sqs.receive_message(QueueUrl=self.failures, MaxNumberOfMessages=10, WaitTimeSeconds=20,
                                           MessageSystemAttributeNames=["All"])
            for m in out.get("Messages", []):
                parked[m["MessageId"]] = m
            self.assertIn("Messages", out, "the poison is not in the dead-letter queue")
        for m in parked.values():
            self.assertEqual(m["Attributes"]["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:000000000000:webhooks")

    def test_errors_are_typed(self):
        with self.assertRaises(self.sqs.exceptions.QueueDoesNotExist):
            self.sqs.get_queue_url(QueueName="none")
        with self.assertRaises(self.secrets.exceptions.ResourceNotFoundException):
            self.secrets.get_secret_value(SecretId="none")

    def test_secrets(self):
        c, name = self.secrets, "python/rotated"
        first = c.create_secret(Name=name, SecretString="one", Tags=[{"Key": "team", "Value": "acme"}])["VersionId"]
        second = c.put_secret_value(SecretId=name, SecretBinary=b"\x00\xff", VersionStages=["AWSPENDING"])["VersionId"]
        self.assertEqual(c.get_secret_value(SecretId=name)["SecretString"], "one")
        self.assertEqual(c.get_secret_value(SecretId=name, VersionStage="AWSPENDING")["SecretBinary"], b"\x00\xff")
        c.update_secret_version_stage(SecretId=name, VersionStage="AWSCURRENT", RemoveFromVersionId=first, MoveToVersionId=second)
        stages = c.describe_secret(SecretId=name)["VersionIdsToStages"]
        self.assertEqual({v: set(s) for v, s in stages.items()}, {first: {"AWSPREVIOUS"}, second: {"AWSCURRENT", "AWSPENDING"}})
        with self.assertRaises(c.exceptions.ResourceExistsException):
            c.put_secret_value(SecretId=name, SecretString="another", ClientRequestToken=first)
        listed = c.get_paginator("list_secrets").paginate(Filters=[{"Key": "tag-key", "Values": ["team"]}], PaginationConfig={"PageSize": 1})
        self.assertEqual([s["Name"] for page in listed for s in page["SecretList"]], [name])
        batch = c.batch_get_secret_value(SecretIdList=[name, NAME, "none"])
        self.assertEqual([v["Name"] for v in batch["SecretValues"]], [name, NAME])
        self.assertEqual([e["ErrorCode"] for e in batch["Errors"]], ["ResourceNotFoundException"])
        c.delete_secret(SecretId=name, RecoveryWindowInDays=7)
        for use in (c.get_secret_value, c.delete_secret):
            with self.assertRaises(c.exceptions.InvalidRequestException):
                use(SecretId=name)
        c.restore_secret(SecretId=name)
        self.assertEqual(c.get_secret_value(SecretId=name)["VersionId"], second)
        c.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        with self.assertRaises(c.exceptions.ResourceNotFoundException):
            c.describe_secret(SecretId=name)


if __name__ == "__main__":
    unittest.main()
