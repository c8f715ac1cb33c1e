"""The same walk through SQS with boto3 (JSON protocol), AWS CLI v1 (JSON) and
AWS CLI v2 of Debian (query protocol), against efferent dev.

Run it with `make test-python`."""

import json
import os
import re
import signal
import subprocess
import unittest
import uuid

import boto3

PATIENCE = 300  # seconds: the machine may be busy
ENV = {**os.environ, "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": ""}


class Refused(Exception):
    pass


class Boto:
    moves = True

    def __init__(self, endpoint):
        self.client = boto3.client("sqs", endpoint_url=endpoint, region_name="us-east-1",
                                   aws_access_key_id="any", aws_secret_access_key="any")

    def call(self, operation, **parameters):
        try:
            return getattr(self.client, operation)(**parameters)
        except self.client.exceptions.ClientError as e:
            raise Refused(str(e)) from e


class CLI:
    def __init__(self, endpoint, program):
        self.command = [program, "--endpoint-url", endpoint, "--output", "json", "sqs"]
        version = subprocess.run([program, "--version"], capture_output=True, text=True, env=ENV).stdout
        # Move tasks came in 2.11.
        major, minor = map(int, re.search(r"aws-cli/(\d+)\.(\d+)", version).groups())
        self.moves = major == 1 or minor >= 11

    def call(self, operation, **parameters):
        args = self.command + [operation.replace("_", "-")]
        for name, value in parameters.items():
            args.append("--" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower())
            args.append(value if isinstance(value, str) else json.dumps(value))
        done = subprocess.run(args, capture_output=True, text=True, env=ENV, timeout=PATIENCE)
        if done.returncode:
            raise Refused(done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else {}


class TestClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = [os.environ["EFFERENT"], "dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", ":memory:"]
        cls.dev = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        cls.endpoint = re.match(r"ready aws=(\S+)", cls.dev.stdout.readline())[1]

    @classmethod
    def tearDownClass(cls):
        cls.dev.send_signal(signal.SIGTERM)
        cls.dev.wait(timeout=PATIENCE)
        cls.dev.stdout.close()

    def test_boto3(self):
        self.walk(Boto(self.endpoint))

    def test_cli_v1(self):
        self.walk(CLI(self.endpoint, os.environ["AWS_CLI_V1"]))

    def test_cli_v2(self):
        self.walk(CLI(self.endpoint, os.environ["AWS_CLI_V2"]))

    def receive(self, client, url, wait=20, **more):
        out = client.call("receive_message", QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait,
                          AttributeNames=["All"], MessageAttributeNames=["All"], **more)
        return out.get("Messages", [])

    def walk(self, client):
        name = "walk-" + uuid.uuid4().hex[:8]
        dead = client.call("create_queue", QueueName=name + "-dead")["QueueUrl"]
        arn = client.call("get_queue_attributes", QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
        url = client.call("create_queue", QueueName=name, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "600"})["QueueUrl"]
        self.assertEqual(client.call("get_queue_url", QueueName=name)["QueueUrl"], url)
        self.assertIn(url, client.call("list_queues", QueueNamePrefix=name)["QueueUrls"])
        attributes = client.call("get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.assertEqual(json.loads(attributes["RedrivePolicy"]), json.loads(policy))

        body = "é \t< & > \U0001F600\r\n"
        sent = client.call("send_message", QueueUrl=url, MessageBody=body,
                           MessageAttributes={"a": {"DataType": "String", "StringValue": "ü"}})
        batch = client.call("send_message_batch", QueueUrl=url, Entries=[
            {"Id": "good", "MessageBody": "good"}, {"Id": "bad", "MessageBody": "bad", "DelaySeconds": 901}])
        self.assertEqual([e["Id"] for e in batch["Successful"]], ["good"])
        self.assertEqual([e["Id"] for e in batch["Failed"]], ["bad"])

        messages = {}
        while len(messages) < 2:
            messages.update({m["Body"]: m for m in self.receive(client, url)})
        first = messages[body]
        self.assertEqual(first["MessageId"], sent["MessageId"])
        self.assertEqual(first["MD5OfBody"], sent["MD5OfMessageBody"])
        self.assertEqual(first["MessageAttributes"]["a"]["StringValue"], "ü")
        self.assertEqual(first["Attributes"]["ApproximateReceiveCount"], "1")
        client.call("delete_message", QueueUrl=url, ReceiptHandle=messages["good"]["ReceiptHandle"])

        client.call("change_message_visibility", QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
        self.assertEqual(self.receive(client, url, wait=1), [])
        parked = self.receive(client, dead, VisibilityTimeout=0)
        self.assertEqual([m["MessageId"] for m in parked], [sent["MessageId"]])
        source = client.call("get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        if client.moves:
            self.assertEqual(parked[0]["Attributes"]["DeadLetterQueueSourceArn"], source)
            client.call("start_message_move_task", SourceArn=arn)
            back = self.receive(client, url)
            self.assertEqual([m["Body"] for m in back], [body])
            client.call("delete_message_batch", QueueUrl=url, Entries=[{"Id": "x", "ReceiptHandle": back[0]["ReceiptHandle"]}])
            status = "RUNNING"
            while status == "RUNNING":
                status = client.call("list_message_move_tasks", SourceArn=arn)["Results"][0]["Status"]
            self.assertEqual(status, "COMPLETED")
        self.assertEqual(client.call("list_dead_letter_source_queues", QueueUrl=dead)["queueUrls"], [url])

        client.call("tag_queue", QueueUrl=url, Tags={"k": "v"})
        self.assertEqual(client.call("list_queue_tags", QueueUrl=url)["Tags"], {"k": "v"})
        client.call("purge_queue", QueueUrl=url)
        client.call("delete_queue", QueueUrl=url)
        with self.assertRaisesRegex(Refused, "NonExistentQueue|QueueDoesNotExist"):
            client.call("get_queue_url", QueueName=name)


if __name__ == "__main__":
    unittest.main()
