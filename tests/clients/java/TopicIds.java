import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Java's newer consumer (group.protocol=consumer), which commits and fetches offsets by topic id, on partitions that it chooses itself;
 * and the classic one, which does so by name, in the same group. Each goes on where the other has committed. A topic that is made
 * again begins anew.
 */
public class TopicIds {
    static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    static final String TOPIC = "by-id";
    static final List<TopicPartition> PARTITIONS = List.of(new TopicPartition(TOPIC, 0), new TopicPartition(TOPIC, 1));
    static final int RECORDS = 100;
    static final Duration LIMIT = Duration.ofSeconds(60);

    public static void main(String[] args) throws Exception {
        try (var admin = Admin.create(Map.of("bootstrap.servers", (Object) BOOTSTRAP))) {
            create(admin);
            produce(RECORDS);
            consume("consumer", 0, RECORDS);
            produce(10);
            consume("classic", RECORDS, 10);
            produce(10);
            consume("consumer", RECORDS + 10, 10);
            admin.deleteTopics(List.of(TOPIC)).all().get();
            create(admin);
            produce(5);
            consume("consumer", 0, 5);
        }
        System.out.printf("{\"client\":\"java\",\"version\":\"%s\",\"records\":%d}%n", AppInfoParser.getVersion(), RECORDS + 25);
        System.exit(0);
    }

    static void create(Admin admin) throws Exception {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            try {
                admin.createTopics(List.of(new NewTopic(TOPIC, 2, (short) 1))).all().get();
                return;
            } catch (java.util.concurrent.ExecutionException refused) {
                if (System.nanoTime() > end) throw refused;
            }
        }
    }

    static void produce(int count) throws Exception {
        var properties = new Properties();
        properties.put("bootstrap.servers", BOOTSTRAP);
        try (var producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(TOPIC, i % 2, null, "record " + i)).get();
        }
    }

    /** Reads `count` records, the first of which are those behind `before` others, commits one by one, and looks at what is committed. */
    static void consume(String protocol, int before, int count) {
        var properties = new Properties();
        properties.put("bootstrap.servers", BOOTSTRAP);
        properties.put("group.protocol", protocol);
        properties.put("group.id", "by-id");
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(PARTITIONS);
            long found = 0;
            long end = System.nanoTime() + LIMIT.toNanos();
            while (found < count) {
                if (System.nanoTime() > end) throw new IllegalStateException(protocol + ": " + found + " of " + count);
                found += consumer.poll(Duration.ofMillis(200)).count();
            }
            check(protocol + " found", (long) count, found);
            var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
            for (var partition : PARTITIONS) {
                long total = (before + count + 1 - partition.partition()) / 2;
                check(protocol + " is at", total, consumer.position(partition));
                offsets.put(partition, new OffsetAndMetadata(total, Optional.of(0), "by " + protocol));
            }
            consumer.commitSync(offsets);
            check(protocol + " committed", offsets, consumer.committed(new HashSet<>(PARTITIONS)));
        }
    }

    static void check(String what, Object expected, Object found) {
        if (!expected.equals(found)) throw new IllegalStateException(what + ": " + found + ", expected " + expected);
    }
}
