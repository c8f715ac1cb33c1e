package clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.amazon.sqs.javamessaging.ProviderConfiguration;
import com.amazon.sqs.javamessaging.SQSConnection;
import com.amazon.sqs.javamessaging.SQSConnectionFactory;
import com.amazon.sqs.javamessaging.SQSSession;
import jakarta.jms.BytesMessage;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.ObjectMessage;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** The Amazon SQS Java Messaging Library: JMS sessions, listeners and prefetching. */
class JmsTest {
  private static final int PATIENCE = 300_000;
  private SQSConnection connection;

  @BeforeEach
  void connect() throws JMSException {
    connection = new SQSConnectionFactory(new ProviderConfiguration().withNumberOfMessagesToPrefetch(10), SqsClient.create())
        .createConnection();
  }

  @AfterEach
  void close() throws JMSException {
    connection.close();
  }

  /** Every message once, by three listeners that prefetch. */
  @Test
  void listeners() throws Exception {
    String name = Queues.create(Map.of());
    List<String> got = Queues.list();
    for (int i = 0; i < 3; i++) {
      Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
      session.createConsumer(session.createQueue(name)).setMessageListener(m -> {
        try {
          got.add(((TextMessage) m).getText());
        } catch (JMSException e) {
          throw new IllegalStateException(e);
        }
      });
    }
    connection.start();
    Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    MessageProducer producer = session.createProducer(session.createQueue(name));
    List<String> want = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      want.add("é " + i + " < & > \uD83D\uDE00");
      producer.send(session.createTextMessage(want.get(i)));
    }
    Queues.eventually(0, () -> Queues.left(name));
    got.sort(null);
    want.sort(null);
    assertEquals(want, got);
  }

  /** A listener that throws has the message again, and after three times it is a dead letter. */
  @Test
  void deadLetters() throws Exception {
    String dead = Queues.create(Map.of());
    String name = Queues.createWithDeadLetters(dead, 3, Map.of());
    List<String> got = Queues.list();
    Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    session.createConsumer(session.createQueue(name)).setMessageListener(m -> {
      try {
        got.add(((TextMessage) m).getText() + m.getIntProperty("JMSXDeliveryCount") + m.getJMSRedelivered());
        if (((TextMessage) m).getText().equals("bad")) {
          throw new IllegalStateException("bad");
        }
      } catch (JMSException e) {
        throw new IllegalStateException(e);
      }
    });
    connection.start();
    MessageProducer producer = session.createProducer(session.createQueue(name));
    producer.send(session.createTextMessage("bad"));
    producer.send(session.createTextMessage("good"));
    Queues.eventually(1, () -> Queues.left(dead));
    Queues.eventually(0, () -> Queues.left(name));
    got.sort(null);
    assertEquals(List.of("bad1false", "bad2true", "bad3true", "good1false"), got);
  }

  /** CLIENT_ACKNOWLEDGE acknowledges all before it; recover and UNORDERED give back, one by one. */
  @Test
  void acknowledgeModes() throws Exception {
    String name = Queues.create(Map.of());
    connection.start();
    for (int mode : new int[] {Session.CLIENT_ACKNOWLEDGE, SQSSession.UNORDERED_ACKNOWLEDGE}) {
      SQSSession session = (SQSSession) connection.createSession(false, mode);
      Queue queue = session.createQueue(name);
      MessageProducer producer = session.createProducer(queue);
      for (int i = 0; i < 5; i++) {
        producer.send(session.createTextMessage("" + i));
      }
      MessageConsumer consumer = session.createConsumer(queue);
      TextMessage first = (TextMessage) consumer.receive(PATIENCE);
      TextMessage second = (TextMessage) consumer.receive(PATIENCE);
      second.acknowledge();
      session.recover(); // the first one again, where it is not acknowledged
      int left = mode == Session.CLIENT_ACKNOWLEDGE ? 3 : 4;
      List<String> again = new ArrayList<>();
      for (int i = 0; i < left; i++) {
        TextMessage m = (TextMessage) consumer.receive(PATIENCE);
        again.add(m.getText());
        m.acknowledge();
      }
      assertEquals(left == 4, again.contains(first.getText()));
      Queues.eventually(0, () -> Queues.left(name));
      session.close();
    }
  }

  /** Properties of all types, bytes, objects, and JMS headers. */
  @Test
  void kinds() throws Exception {
    String name = Queues.create(Map.of());
    connection.start();
    Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    Queue queue = session.createQueue(name);
    MessageProducer producer = session.createProducer(queue);
    MessageConsumer consumer = session.createConsumer(queue);

    TextMessage text = session.createTextMessage("x");
    Map<String, Object> properties = Map.of("s", "é", "i", 7, "l", 1L << 40, "d", 0.5, "b", true, "y", (byte) 3);
    for (Map.Entry<String, Object> p : properties.entrySet()) {
      text.setObjectProperty(p.getKey(), p.getValue());
    }
    text.setJMSCorrelationID("c-1");
    text.setJMSReplyTo(queue);
    producer.send(text);
    TextMessage got = (TextMessage) consumer.receive(PATIENCE);
    for (Map.Entry<String, Object> p : properties.entrySet()) {
      assertEquals(p.getValue(), got.getObjectProperty(p.getKey()), p.getKey());
    }
    assertEquals("c-1", got.getJMSCorrelationID());
    assertEquals(text.getJMSMessageID(), got.getJMSMessageID());
    assertNotNull(got.getJMSReplyTo());

    BytesMessage bytes = session.createBytesMessage();
    bytes.writeBytes(new byte[] {0, -1, 65});
    producer.send(bytes);
    BytesMessage gotBytes = assertInstanceOf(BytesMessage.class, consumer.receive(PATIENCE));
    assertEquals(3, gotBytes.getBodyLength());
    producer.send(session.createObjectMessage(new HashMap<>(Map.of("k", 1))));
    assertEquals(Map.of("k", 1), assertInstanceOf(ObjectMessage.class, consumer.receive(PATIENCE)).getObject());
    assertNull(consumer.receiveNoWait());
    Queues.eventually(0, () -> Queues.left(name));
  }

  /** FIFO queues: groups in order, over two consumers; what is sent twice comes once. */
  @Test
  void fifo() throws Exception {
    String name = Queues.create(Map.of(QueueAttributeName.FIFO_QUEUE, "true", QueueAttributeName.CONTENT_BASED_DEDUPLICATION, "true"));
    Map<String, List<String>> got = Map.of("a", Queues.list(), "b", Queues.list());
    for (int i = 0; i < 2; i++) {
      Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
      session.createConsumer(session.createQueue(name)).setMessageListener(m -> {
        try {
          got.get(m.getStringProperty("JMSXGroupID")).add(((TextMessage) m).getText());
        } catch (JMSException e) {
          throw new IllegalStateException(e);
        }
      });
    }
    connection.start();
    Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    MessageProducer producer = session.createProducer(session.createQueue(name));
    List<String> want = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      want.add("n" + i);
      for (String group : List.of("a", "b", "b")) {
        TextMessage m = session.createTextMessage("n" + i);
        m.setStringProperty("JMSXGroupID", group);
        m.setStringProperty("JMS_SQS_DeduplicationId", group + i);
        producer.send(m);
      }
    }
    Queues.eventually(0, () -> Queues.left(name));
    assertEquals(Map.of("a", want, "b", want), got);
  }

  /** A delay, a purge, and a queue that is not there. */
  @Test
  void delayPurgeAndMissing() throws Exception {
    String name = Queues.create(Map.of());
    connection.start();
    Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    MessageProducer producer = session.createProducer(session.createQueue(name));
    producer.send(session.createTextMessage("purged"));
    Queues.SQS.purgeQueue(q -> q.queueUrl(Queues.url(name)));
    Queues.eventually(0, () -> Queues.left(name));
    producer.setDeliveryDelay(2000);
    long sent = System.nanoTime();
    producer.send(session.createTextMessage("late"));
    assertEquals("late", ((TextMessage) session.createConsumer(session.createQueue(name)).receive(PATIENCE)).getText());
    assertEquals(true, System.nanoTime() - sent > 1_900_000_000L);
    assertThrows(InvalidDestinationException.class, () -> session.createQueue(name + "-none"));
    assertEquals(true, connection.getWrappedAmazonSQSClient().queueExists(name));
    assertEquals(false, connection.getWrappedAmazonSQSClient().queueExists(name + "-none"));
  }
}
