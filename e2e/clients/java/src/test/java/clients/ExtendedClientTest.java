package clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazon.sqs.javamessaging.AmazonSQSExtendedClient;
import com.amazon.sqs.javamessaging.ExtendedClientConfiguration;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** The Amazon SQS Extended Client Library: large bodies are in S3, at S3_ENDPOINT_URL, and SQS has pointers. */
@EnabledIfEnvironmentVariable(named = "S3_ENDPOINT_URL", matches = "http.+")
class ExtendedClientTest {
  private final S3Client s3 = S3Client.builder().endpointOverride(URI.create(System.getenv("S3_ENDPOINT_URL"))).forcePathStyle(true).build();
  private final String bucket = "clients-" + UUID.randomUUID();
  private SqsClient client;

  @BeforeEach
  void connect() {
    s3.createBucket(b -> b.bucket(bucket));
    client = new AmazonSQSExtendedClient(SqsClient.create(),
        new ExtendedClientConfiguration().withPayloadSupportEnabled(s3, bucket, true));
  }

  private long objects() {
    return s3.listObjectsV2(b -> b.bucket(bucket)).keyCount();
  }

  private List<Message> receive(String url) {
    return client.receiveMessage(q -> q.queueUrl(url).maxNumberOfMessages(10).waitTimeSeconds(20).messageAttributeNames("All")).messages();
  }

  /** A body of 3 MiB, which SQS would refuse, and a small one beside it. */
  @Test
  void largeBodies() throws Exception {
    String name = Queues.create(Map.of());
    String url = Queues.url(name);
    String large = "é".repeat(3 << 19);
    client.sendMessage(q -> q.queueUrl(url).messageBody(large));
    assertEquals(1, objects());
    Message got = receive(url).get(0);
    assertEquals(large, got.body());
    client.changeMessageVisibility(q -> q.queueUrl(url).receiptHandle(got.receiptHandle()).visibilityTimeout(0));
    Message again = receive(url).get(0);
    client.deleteMessage(q -> q.queueUrl(url).receiptHandle(again.receiptHandle()));
    assertEquals(0, objects());
    client.sendMessage(q -> q.queueUrl(url).messageBody("small"));
    assertEquals(0, objects());
    client.deleteMessage(q -> q.queueUrl(url).receiptHandle(receive(url).get(0).receiptHandle()));
    assertEquals(0, Queues.left(name));
  }

  /** A batch of which some are large; given back, deleted, and dead letters keep their pointer. */
  @Test
  void batchesAndDeadLetters() throws Exception {
    String dead = Queues.create(Map.of());
    String name = Queues.createWithDeadLetters(dead, 1, Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "600"));
    String url = Queues.url(name);
    String large = "x".repeat(300 << 10);
    client.sendMessageBatch(b -> b.queueUrl(url).entries(e -> e.id("0").messageBody(large), e -> e.id("1").messageBody("small"),
        e -> e.id("2").messageBody(large)));
    List<Message> got = receive(url);
    while (got.size() < 3) {
      got = new java.util.ArrayList<>(got);
      got.addAll(receive(url));
    }
    List<Message> all = got;
    assertEquals(2, all.stream().filter(m -> m.body().equals(large)).count());
    assertTrue(objects() == 2);
    client.changeMessageVisibilityBatch(b -> b.queueUrl(url).entries(e -> e.id("a").visibilityTimeout(0).receiptHandle(all.get(0).receiptHandle())));
    client.deleteMessageBatch(b -> b.queueUrl(url).entries(
        e -> e.id("a").receiptHandle(all.get(1).receiptHandle()), e -> e.id("b").receiptHandle(all.get(2).receiptHandle())));
    client.receiveMessage(q -> q.queueUrl(url)); // SQS moves it
    Message letter = receive(Queues.url(dead)).get(0);
    assertEquals(all.get(0).body(), letter.body());
    client.deleteMessage(q -> q.queueUrl(Queues.url(dead)).receiptHandle(letter.receiptHandle()));
    assertEquals(0, objects());
    assertEquals(0, Queues.left(name) + Queues.left(dead));
  }
}
