package clients;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.batchmanager.SqsAsyncBatchManager;
import software.amazon.awssdk.services.sqs.model.Message;

/** The AWS SDK for Java 2's SqsAsyncBatchManager: it gathers requests into batches and receives ahead. */
class BatchManagerTest {
  @Test
  void everyMessageOnce() throws Exception {
    String name = Queues.create(Map.of());
    String url = Queues.url(name);
    try (SqsAsyncClient client = SqsAsyncClient.create();
        SqsAsyncBatchManager manager = SqsAsyncBatchManager.builder().client(client)
            .scheduledExecutor(java.util.concurrent.Executors.newScheduledThreadPool(2, r -> {
              Thread t = new Thread(r);
              t.setDaemon(true);
              return t;
            })).build()) {
      List<CompletableFuture<?>> sends = new ArrayList<>();
      List<String> want = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        String body = "m" + i;
        want.add(body);
        sends.add(manager.sendMessage(m -> m.queueUrl(url).messageBody(body)));
      }
      CompletableFuture.allOf(sends.toArray(new CompletableFuture[0])).get();
      List<String> got = new ArrayList<>();
      List<CompletableFuture<?>> deletes = new ArrayList<>();
      while (got.size() < want.size()) {
        for (Message m : manager.receiveMessage(r -> r.queueUrl(url)).get().messages()) {
          got.add(m.body());
          deletes.add(manager.deleteMessage(d -> d.queueUrl(url).receiptHandle(m.receiptHandle())));
        }
      }
      CompletableFuture.allOf(deletes.toArray(new CompletableFuture[0])).get();
      got.sort(null);
      want.sort(null);
      assertEquals(want, got);
      assertEquals(0, Queues.left(name));
    }
  }
}
