// sqs-consumer and sqs-producer, on the AWS SDK for JavaScript v3.
// Run it with `make e2e-clients`.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PurgeQueueCommand } from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";
import { Producer } from "sqs-producer";
import { createQueue, createWithDeadLetters, eventually, left, sqs } from "./queues.mjs";

const range = (n) => [...Array(n).keys()];

const started = new WeakMap(); // by test: its consumers, and their errors that it does not look for

// consume starts a consumer that ends with the test, which fails by errors that
// it does not look for.
function consume(t, queueUrl, { expected, ...options }) {
  if (!started.has(t)) {
    const all = { consumers: [], unexpected: [] };
    started.set(t, all);
    t.after(() => {
      const before = all.unexpected.splice(0);
      for (const c of all.consumers) c.stop({ abort: true }); // its own error is that it was aborted
      assert.deepEqual(before, []);
    });
  }
  const { consumers, unexpected } = started.get(t);
  const consumer = Consumer.create({ queueUrl, sqs, suppressFifoWarning: true, ...options });
  for (const event of ["error", "processing_error", "timeout_error"]) {
    consumer.on(event, options[event] ?? ((e) => expected?.test(e) || unexpected.push(e)));
  }
  consumer.start();
  consumers.push(consumer);
  return consumer;
}

// produce sends texts, or messages.
const produce = (queueUrl, messages) =>
  Producer.create({ queueUrl, sqs }).send(messages.map((m, i) => (typeof m === "string" ? { id: String(i), body: m } : m)));

describe("sqs-consumer", { concurrency: true }, () => {
  test("every message once by four consumers, single and in batches", async (t) => {
    const queue = await createQueue();
    const bodies = range(400).map((i) => `é ${i} < & > \u{1F600}`);
    await produce(queue, bodies.slice(0, 100)); // before anybody consumes
    const seen = [];
    for (const batchSize of [1, 10]) {
      consume(t, queue, { batchSize, waitTimeSeconds: 20, handleMessage: async (m) => { seen.push(m.Body); return m; } });
      const handleMessageBatch = async (ms) => { seen.push(...ms.map((m) => m.Body)); return ms; };
      consume(t, queue, { batchSize, waitTimeSeconds: 20, handleMessageBatch });
    }
    await Promise.all([1, 2, 3].map((n) => produce(queue, bodies.slice(n * 100, n * 100 + 100))));
    await eventually(0, () => left(queue));
    assert.deepEqual(seen.toSorted(), bodies.toSorted());
  });

  test("what is not acknowledged comes again, then is a dead letter", async (t) => {
    const { queue, dead } = await createWithDeadLetters(3);
    await produce(queue, ["good", "bad", "half"]);
    const seen = { good: 0, bad: 0, half: 0 };
    let errors = 0;
    consume(t, queue, {
      batchSize: 10, waitTimeSeconds: 20, terminateVisibilityTimeout: true, processing_error: () => errors++,
      attributeNames: ["ApproximateReceiveCount"],
      handleMessage: async (m) => {
        assert.equal(m.Attributes.ApproximateReceiveCount, String(++seen[m.Body]));
        if (m.Body === "bad" || (m.Body === "half" && seen.half < 2)) throw new Error(m.Body);
        return m;
      },
    });
    await eventually(1, () => left(dead));
    await eventually(0, () => left(queue));
    assert.deepEqual([seen, errors], [{ good: 1, bad: 3, half: 2 }, 4]);
  });

  test("a part of a batch is acknowledged", async (t) => {
    const { queue, dead } = await createWithDeadLetters(2, { VisibilityTimeout: "5" });
    await produce(queue, range(10).map(String));
    const seen = [];
    consume(t, queue, {
      batchSize: 10, waitTimeSeconds: 20, strictReturn: true,
      handleMessageBatch: async (ms) => { seen.push(...ms.map((m) => m.Body)); return ms.filter((m) => m.Body % 2 === 0); },
    });
    await eventually(5, () => left(dead));
    await eventually(0, () => left(queue));
    assert.deepEqual(seen.toSorted(), "0123456789".concat("13579").split("").toSorted());
  });

  test("a heartbeat keeps a message, one and a batch", async (t) => {
    for (const kind of ["handleMessage", "handleMessageBatch"]) {
      const queue = await createQueue();
      await produce(queue, ["slow"]);
      let seen = 0;
      // The last heartbeat may come when the message is being deleted.
      const expected = /not available for visibility timeout change/;
      const slow = { expected, [kind]: async (m) => { seen++; await sleep(12_500); return m; } };
      for (let i = 0; i < 2; i++) consume(t, queue, { waitTimeSeconds: 1, visibilityTimeout: 10, heartbeatInterval: 2, ...slow });
      await eventually(0, () => left(queue));
      assert.equal(seen, 1);
    }
  });

  test("a handler that takes too long loses its message to another", async (t) => {
    const queue = await createQueue();
    await produce(queue, ["x"]);
    let seen = 0, timeouts = 0;
    consume(t, queue, {
      waitTimeSeconds: 20, visibilityTimeout: 30, handleMessageTimeout: 1000, terminateVisibilityTimeout: 1, timeout_error: () => timeouts++,
      handleMessage: async (m) => { if (++seen === 1) await sleep(5000); return m; },
    });
    await eventually(0, () => left(queue));
    assert.deepEqual([seen, timeouts], [2, 1]);
  });

  test("FIFO: each group in its order, one message in flight", async (t) => {
    const queue = await createQueue({ FifoQueue: "true" });
    const of = (groupId, n) => ({ id: `${groupId}-${n}`, body: `${groupId} ${n}`, groupId, deduplicationId: `${groupId}-${n}` });
    const all = ["a", "b", "c"].flatMap((g) => range(20).map((n) => of(g, n)));
    await produce(queue, all);
    await produce(queue, all.slice(0, 10)); // within five minutes, again
    const seen = { a: [], b: [], c: [] }, busy = new Set();
    for (let i = 0; i < 8; i++) { // more than groups: whoever could take two of one would
      consume(t, queue, {
        waitTimeSeconds: 20, batchSize: 1,
        handleMessage: async (m) => {
          const [group, n] = m.Body.split(" ");
          assert.ok(!busy.has(group), `two of group ${group} are in flight`);
          busy.add(group);
          await sleep(5);
          seen[group].push(Number(n));
          busy.delete(group);
          return m;
        },
      });
    }
    await eventually(0, () => left(queue));
    assert.deepEqual(seen, { a: range(20), b: range(20), c: range(20) });
  });

  test("delays, attributes, an empty queue, a purge", async (t) => {
    const queue = await createQueue();
    await produce(queue, ["purged"]);
    assert.equal(await Producer.create({ queueUrl: queue, sqs }).queueSize(), 1);
    await sqs.send(new PurgeQueueCommand({ QueueUrl: queue }));
    await eventually(0, () => left(queue));
    const attributes = { n: { DataType: "Number", StringValue: "1" }, raw: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255]) } };
    const due = Date.now() + 2000;
    await produce(queue, [{ id: "1", body: "late", delaySeconds: 2, messageAttributes: attributes }]);
    const seen = [];
    let empty = 0;
    const consumer = consume(t, queue, {
      waitTimeSeconds: 0, messageAttributeNames: ["All"], handleMessage: async (m) => { seen.push([m, Date.now() >= due]); return m; },
    });
    consumer.on("empty", () => empty++);
    await eventually(0, () => left(queue));
    assert.deepEqual(seen.map(([m, late]) => [m.Body, m.MessageAttributes, late]), [["late", attributes, true]]);
    assert.ok(empty > 0);
  });

  test("a queue that is not there is told by its name of error", async (t) => {
    const queue = (await createQueue()) + "-none";
    const told = new Promise((resolve) => consume(t, queue, { waitTimeSeconds: 0, handleMessage: async () => {}, error: resolve }));
    assert.match(String(await told), /does not exist/i);
    await assert.rejects(produce(queue, ["x"]), { name: "QueueDoesNotExist" });
  });
});
