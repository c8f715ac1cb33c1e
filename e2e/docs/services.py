"""Has EventBridge, SNS and Step Functions of an emulator put messages on a queue, as docs/producers.md
says. It reads the page's files in the working directory, and prints each message that arrived as a line
of JSON: {"by", "body", "group"}; and of a service that the emulator has not, or not so, {"by", "error"}."""

import json
import time

import boto3

REGION = "us-east-1"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:000000000000:webhooks"
sqs, events, sns, sfn = (boto3.client(s, region_name=REGION) for s in ("sqs", "events", "sns", "stepfunctions"))
QUEUE_URL = sqs.create_queue(QueueName="webhooks")["QueueUrl"]
DETAIL = {"url": "https://hooks.acme.test/in", "tenant": "acme", "invoice": {"number": 1042, "note": 'a "quoted" <text>'}}
MESSAGE = json.dumps({"id": "sns_1", "url": DETAIL["url"], "secret": "efferent/webhooks/acme", "event_type": "invoice.paid", "body": DETAIL["invoice"]})


def arrived():
    for _ in range(10):
        found = sqs.receive_message(QueueUrl=QUEUE_URL, WaitTimeSeconds=1, MessageSystemAttributeNames=["All"]).get("Messages", [])
        if found:
            sqs.delete_message(QueueUrl=QUEUE_URL, ReceiptHandle=found[0]["ReceiptHandle"])
            return {"body": found[0]["Body"], "group": found[0].get("Attributes", {}).get("MessageGroupId", "")}
    return {"error": "nothing arrived"}


def by_eventbridge(change):
    targets = json.load(open("targets.json"))
    change(targets[0])
    events.put_rule(Name="invoice-paid", EventPattern=json.dumps({"source": ["billing"], "detail-type": ["invoice.paid"]}))
    events.put_targets(Rule="invoice-paid", Targets=targets)
    events.put_events(Entries=[{"Source": "billing", "DetailType": "invoice.paid", "Detail": json.dumps(DETAIL)}])


def by_sns(raw):
    topic = sns.create_topic(Name=f"raw-{raw}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE_ARN, Attributes={"RawMessageDelivery": raw})
    sns.publish(TopicArn=topic, Message=MESSAGE, MessageGroupId="acme")


def by_step_functions(file):
    definition = open(file).read().replace("QUEUE_URL", QUEUE_URL)
    name = file.split(".")[0]
    machine = sfn.create_state_machine(name=name, definition=definition, roleArn="arn:aws:iam::000000000000:role/r")["stateMachineArn"]
    execution = sfn.start_execution(stateMachineArn=machine, name="evt_1042", input=json.dumps(DETAIL))["executionArn"]
    while (state := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.2)
    if state["status"] != "SUCCEEDED":
        raise RuntimeError(f"{state['status']}: {state.get('error')} {state.get('cause')}")


for by, act in {
    "eventbridge": lambda: by_eventbridge(lambda target: None),
    "eventbridge, as it is": lambda: by_eventbridge(lambda target: target.pop("InputTransformer")),
    "sns": lambda: by_sns("true"),
    "sns, as it is": lambda: by_sns("false"),
    "step functions, JSONata": lambda: by_step_functions("state-machine.json"),
    "step functions, JSONPath": lambda: by_step_functions("state-machine-jsonpath.json"),
}.items():
    try:
        act()
        print(json.dumps({"by": by, **arrived()}), flush=True)
    except Exception as e:  # the test says which of them may be
        print(json.dumps({"by": by, "error": str(e)}), flush=True)
