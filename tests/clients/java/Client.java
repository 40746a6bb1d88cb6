import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * The Java client with its default settings: the same source for 4.3 and for 2.8.
 * Produces with every codec, consumes alone and compares, seeks by timestamp, consumes in a group of two, commits, resumes.
 */
public class Client {
    static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    // Of the lanes that run it more than once on a broker.
    static final String PREFIX = System.getenv().getOrDefault("TOPIC_PREFIX", "");
    static final String GROUPED_TOPIC = PREFIX + "grouped";
    // Not long ago: retention goes by the time of the records.
    static final long BASE = System.currentTimeMillis() - 3_600_000;
    static final int RECORDS = 500;
    static final int GROUPED = 400;
    static final int MORE = 40;
    static final Duration LIMIT = Duration.ofSeconds(60);

    public static void main(String[] args) throws Exception {
        var codecs = List.of("none", "gzip", "snappy", "lz4", "zstd");
        for (String codec : codecs) {
            produce(codec);
            consumeAlone(codec);
        }
        seekByTimestamp();
        createGroupedTopic();
        produceGrouped(0, GROUPED);
        var perMember = consumeInGroup(2, GROUPED, 0);
        produceGrouped(GROUPED, MORE);
        consumeInGroup(1, MORE, GROUPED);
        System.out.printf(
            "{\"client\":\"java\",\"version\":\"%s\",\"codecs\":%d,\"records\":%d,\"members\":\"%s\",\"resumed\":%d}%n",
            AppInfoParser.getVersion(), codecs.size(), RECORDS * codecs.size(), perMember, MORE);
        System.exit(0);
    }

    static Properties properties(String... pairs) {
        var properties = new Properties();
        properties.put("bootstrap.servers", BOOTSTRAP);
        // Of the lanes that go over TLS or log in: a properties file.
        var security = System.getenv("CLIENT_PROPERTIES");
        if (security != null) {
            try (var file = new java.io.FileReader(security)) {
                properties.load(file);
            } catch (java.io.IOException missing) {
                throw new java.io.UncheckedIOException(missing);
            }
        }
        for (int i = 0; i < pairs.length; i += 2) properties.put(pairs[i], pairs[i + 1]);
        return properties;
    }

    static String value(String codec, int i) {
        return codec + " record " + i + " é " + "x".repeat(i * 37 % 900);
    }

    static KafkaProducer<String, String> producer(String codec) {
        return new KafkaProducer<>(properties("compression.type", codec), new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(String... pairs) {
        var properties = properties(pairs);
        properties.put("auto.offset.reset", "earliest");
        return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    static void produce(String codec) throws Exception {
        var acks = new ArrayList<Future<RecordMetadata>>();
        try (var producer = producer(codec)) {
            for (int i = 0; i < RECORDS; i++) {
                var record = new ProducerRecord<>(PREFIX + "codec-" + codec, 0, BASE + i * 1000L, "k" + i, value(codec, i));
                record.headers().add("n", Integer.toString(i).getBytes(StandardCharsets.UTF_8));
                acks.add(producer.send(record));
            }
        }
        for (int i = 0; i < RECORDS; i++) {
            equal("offset acknowledged, " + codec, (long) i, acks.get(i).get(60, TimeUnit.SECONDS).offset());
        }
    }

    static void consumeAlone(String codec) {
        var partition = new TopicPartition(PREFIX + "codec-" + codec, 0);
        try (var consumer = consumer()) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            int[] next = {0};
            poll(consumer, RECORDS, (record, read) -> {
                int i = next[0]++;
                equal("offset", (long) i, record.offset());
                equal("key", "k" + i, record.key());
                equal("value", value(codec, i), record.value());
                equal("timestamp", BASE + i * 1000L, record.timestamp());
                equal("header", Integer.toString(i), new String(record.headers().lastHeader("n").value()));
            });
            equal("end offset", (long) RECORDS, consumer.endOffsets(List.of(partition)).get(partition));
        }
    }

    static void seekByTimestamp() {
        var partition = new TopicPartition(PREFIX + "codec-gzip", 0);
        try (var consumer = consumer()) {
            consumer.assign(List.of(partition));
            var found = consumer.offsetsForTimes(Map.of(partition, BASE + 249_500L)).get(partition);
            equal("offset for a timestamp", 250L, found.offset());
            equal("timestamp found", BASE + 250_000L, found.timestamp());
            consumer.seek(partition, found.offset());
            int[] next = {250};
            poll(consumer, RECORDS - 250, (record, read) -> equal("offset after seek", (long) next[0]++, record.offset()));
            equal("no offset past the last", null, consumer.offsetsForTimes(Map.of(partition, BASE + 7_200_000)).get(partition));
        }
    }

    static void createGroupedTopic() throws Exception {
        try (var admin = Admin.create(properties())) {
            admin.createTopics(List.of(new NewTopic(GROUPED_TOPIC, 4, (short) 1))).all().get(60, TimeUnit.SECONDS);
        }
    }

    static void produceGrouped(int from, int count) {
        try (var producer = producer("none")) {
            for (int i = from; i < from + count; i++) {
                producer.send(new ProducerRecord<>(GROUPED_TOPIC, i % 4, "k" + i, value("grouped", i)));
            }
        }
    }

    /** Reads until all members together have `count` records, each once, from `from` on; commits; says who read how many. */
    static List<Integer> consumeInGroup(int members, int count, int from) throws Exception {
        var seen = new ConcurrentHashMap<Integer, String>();
        var joined = new CyclicBarrier(members);
        var pool = Executors.newFixedThreadPool(members);
        var results = new ArrayList<Future<Integer>>();
        for (int m = 0; m < members; m++) {
            results.add(pool.submit(() -> member(seen, joined, members, count, from)));
        }
        var perMember = new ArrayList<Integer>();
        for (var result : results) perMember.add(result.get(120, TimeUnit.SECONDS));
        pool.shutdown();
        for (int i = from; i < from + count; i++) equal("value in group", value("grouped", i), seen.get(i));
        if (perMember.contains(0)) throw new AssertionError("a member read nothing: " + perMember);
        return perMember;
    }

    static int member(Map<Integer, String> seen, CyclicBarrier joined, int members, int count, int from) throws Exception {
        int read = 0;
        try (var consumer = consumer("group.id", PREFIX + "java", "enable.auto.commit", "false")) {
            consumer.subscribe(List.of(GROUPED_TOPIC));
            long deadline = System.nanoTime() + LIMIT.toNanos();
            // Nobody reads before everybody has its share, so that each member has something to read.
            while (consumer.assignment().size() != 4 / members) {
                consumer.poll(Duration.ofMillis(50));
                rewind(consumer);
                within(deadline, "the group to share the partitions");
            }
            joined.await(60, TimeUnit.SECONDS);
            while (seen.size() < count) {
                for (var record : consumer.poll(Duration.ofMillis(100))) {
                    int i = Integer.parseInt(record.key().substring(1));
                    if (i < from) throw new AssertionError("record " + i + " was read again after its commit");
                    if (seen.put(i, record.value()) != null) throw new AssertionError("record " + i + " read twice");
                    read++;
                }
                within(deadline, count + " records in the group, read " + seen.size());
            }
            consumer.commitSync();
            for (var partition : consumer.assignment()) {
                var committed = consumer.committed(Set.of(partition)).get(partition);
                equal("committed offset of " + partition, consumer.position(partition), committed.offset());
            }
        }
        return read;
    }

    /** Back to the committed offsets, so that what was read while the group was forming is read again. */
    static void rewind(KafkaConsumer<String, String> consumer) {
        var committed = consumer.committed(consumer.assignment());
        for (var partition : consumer.assignment()) {
            var offset = committed.get(partition);
            consumer.seek(partition, offset == null ? 0 : offset.offset());
        }
    }

    static void poll(KafkaConsumer<String, String> consumer, int count, BiConsumer<ConsumerRecord<String, String>, Integer> each) {
        int read = 0;
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (read < count) {
            for (var record : consumer.poll(Duration.ofMillis(100))) each.accept(record, read++);
            within(deadline, count + " records, read " + read);
        }
        equal("records", count, read);
    }

    static void within(long deadline, String what) {
        if (System.nanoTime() > deadline) throw new AssertionError("waited too long for " + what);
    }

    static void equal(String what, Object expected, Object found) {
        if (!Objects.equals(expected, found)) throw new AssertionError(what + ": expected " + expected + ", found " + found);
    }
}
