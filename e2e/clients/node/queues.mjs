// What the tests need: queues of their own, and waiting. SQS is where
// AWS_ENDPOINT_URL says.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";

export const sqs = new SQSClient({ maxAttempts: 1 });

const patience = 300_000; // milliseconds: the machine may be busy

export async function createQueue(attributes = {}) {
  const name = "client-" + randomUUID() + (attributes.FifoQueue ? ".fifo" : "");
  return (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))).QueueUrl;
}

export async function createWithDeadLetters(maxReceiveCount, attributes = {}) {
  const dead = await createQueue(attributes.FifoQueue && { FifoQueue: "true" });
  const { QueueArn } = await read(dead, "QueueArn");
  const policy = JSON.stringify({ deadLetterTargetArn: QueueArn, maxReceiveCount });
  return { dead, queue: await createQueue({ ...attributes, RedrivePolicy: policy }) };
}

async function read(QueueUrl, ...names) {
  return (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: names }))).Attributes;
}

// left is how many messages a queue holds, in whichever state.
export async function left(queue) {
  const counts = await read(queue, "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed");
  return Object.values(counts).reduce((sum, n) => sum + Number(n), 0);
}

export async function eventually(want, get) {
  for (const end = Date.now() + patience; ; await sleep(50)) {
    const got = await get();
    try {
      return assert.deepEqual(got, want);
    } catch (e) {
      if (Date.now() > end) throw e;
    }
  }
}
