package clients;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** What the tests need: queues of their own, and waiting. SQS is where AWS_ENDPOINT_URL says. */
final class Queues {
  static final SqsClient SQS = SqsClient.create();

  private Queues() {}

  static String create(Map<QueueAttributeName, String> attributes) {
    String name = "client-" + UUID.randomUUID() + (attributes.containsKey(QueueAttributeName.FIFO_QUEUE) ? ".fifo" : "");
    SQS.createQueue(q -> q.queueName(name).attributes(attributes));
    return name;
  }

  /** Makes a queue whose messages go to dead after so many receives; returns its name. */
  static String createWithDeadLetters(String dead, int receives, Map<QueueAttributeName, String> attributes) {
    String arn = SQS.getQueueAttributes(q -> q.queueUrl(url(dead)).attributeNames(QueueAttributeName.QUEUE_ARN))
        .attributes().get(QueueAttributeName.QUEUE_ARN);
    Map<QueueAttributeName, String> all = new HashMap<>(attributes);
    all.put(QueueAttributeName.REDRIVE_POLICY, "{\"deadLetterTargetArn\":\"" + arn + "\",\"maxReceiveCount\":" + receives + "}");
    return create(all);
  }

  static String url(String name) {
    return SQS.getQueueUrl(q -> q.queueName(name)).queueUrl();
  }

  /** How many messages a queue holds, in whichever state. */
  static int left(String name) {
    return SQS.getQueueAttributes(q -> q.queueUrl(url(name)).attributeNames(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES,
            QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE, QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_DELAYED))
        .attributes().values().stream().mapToInt(Integer::parseInt).sum();
  }

  static <T> void eventually(T want, Supplier<T> get) throws InterruptedException {
    T got = get.get();
    for (long end = System.nanoTime() + 300_000_000_000L; !want.equals(got); got = get.get()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("got " + got + ", not " + want);
      }
      Thread.sleep(50);
    }
  }

  static <T> List<T> list() {
    return Collections.synchronizedList(new ArrayList<>());
  }
}
