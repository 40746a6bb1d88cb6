import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Supplier;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.*;

/**
 * Makes administrative calls, good and bad, in a fixed order, and prints each with its answer in one line: what is the same on
 * every server that behaves like Apache Kafka. The answers of Apache Kafka 4.3.1 are in kafka-4.3.1.golden.
 */
public class Golden {
    static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    static final int NONE = Integer.MAX_VALUE;
    static Admin admin;
    static Admin hasty;
    /** Apache Kafka answers a change of a broker's settings before it has made it: the recording waits, in milliseconds. */
    static final long SETTLE = Long.parseLong(System.getenv().getOrDefault("SETTLE_MS", "0"));
    static int calls = 0;
    static String data = null;
    static String cluster = null;

    public static void main(String[] args) throws Exception {
        var properties = new Properties();
        properties.put("bootstrap.servers", BOOTSTRAP);
        properties.put("default.api.timeout.ms", 8000);
        properties.put("request.timeout.ms", 8000);
        admin = Admin.create(properties);
        // Where the client itself waits for what never comes.
        properties.put("default.api.timeout.ms", 1500);
        properties.put("request.timeout.ms", 1500);
        hasty = Admin.create(properties);
        data = describe(new ConfigResource(Type.BROKER, "1")).get("log.dirs").value();
        cluster = admin.describeCluster().clusterId().get();
        topics();
        topicConfigs();
        brokerConfigs();
        groupConfigs();
        clientMetrics();
        loggers();
        listedResources();
        partitions();
        records();
        logDirs();
        leaders();
        clusterAndFeatures();
        groups();
        transactions();
        security();
        deletions();
        System.err.println(calls + " calls");
        System.exit(0);
    }

    // ---- what is printed

    interface Call { Object answer() throws Exception; }

    /** One call and its answer. */
    static void call(String what, Call call) {
        String answer;
        try {
            answer = shown(call.answer());
        } catch (Throwable thrown) {
            answer = thrown(thrown);
        }
        System.out.printf("%s => %s%n", normal(what), normal(answer));
        calls++;
    }

    static String thrown(Throwable thrown) {
        while (thrown instanceof ExecutionException && thrown.getCause() != null) thrown = thrown.getCause();
        // How often the client tried differs from run to run.
        if (thrown instanceof org.apache.kafka.common.errors.TimeoutException) return "TimeoutException";
        return thrown.getClass().getSimpleName() + ": " + thrown.getMessage();
    }

    static String normal(String text) {
        text = text.replaceAll("127\\.0\\.0\\.1:\\d+", "127.0.0.1:<port>");
        if (data != null) text = text.replace(data, "<data>");
        if (cluster != null) text = text.replace(cluster, "<cluster>");
        return text.replace("\n", "\\n");
    }

    static String shown(Object value) throws Exception {
        if (value == null) return "null";
        if (value instanceof KafkaFuture<?> future) {
            try {
                return shown(future.get(20, TimeUnit.SECONDS));
            } catch (Throwable thrown) {
                return thrown(thrown);
            }
        }
        if (value instanceof Void) return "done";
        if (value instanceof Optional<?> optional) return optional.isPresent() ? shown(optional.get()) : "-";
        if (value instanceof OptionalInt optional) return optional.isPresent() ? "" + optional.getAsInt() : "-";
        if (value instanceof OptionalLong optional) return optional.isPresent() ? "" + optional.getAsLong() : "-";
        if (value instanceof Map<?, ?> map) {
            var sorted = new TreeMap<String, String>();
            for (var entry : map.entrySet()) sorted.put(shown(entry.getKey()), shown(entry.getValue()));
            return sorted.toString();
        }
        if (value instanceof List<?> list) {
            var all = new ArrayList<String>();
            for (var each : list) all.add(shown(each));
            return all.toString();
        }
        if (value instanceof Collection<?> set) {
            var sorted = new TreeSet<String>();
            for (var each : set) sorted.add(shown(each));
            return sorted.toString();
        }
        if (value instanceof Config config) {
            var sorted = new TreeMap<String, String>();
            for (var entry : config.entries()) sorted.put(entry.name(), shown(entry));
            return sorted.values().toString();
        }
        if (value instanceof ConfigEntry entry) {
            var marks = (entry.isReadOnly() ? " read-only" : "") + (entry.isSensitive() ? " sensitive" : "");
            var synonyms = entry.synonyms().stream().map(s -> s.name() + "=" + s.value() + "/" + s.source()).toList();
            return entry.name() + "=" + entry.value() + " " + entry.source() + " " + entry.type() + marks + " " + synonyms;
        }
        if (value instanceof ConfigResource resource) return resource.type() + ":" + resource.name();
        if (value instanceof TopicDescription topic) {
            return topic.name() + " internal=" + topic.isInternal() + " " + topic.partitions().stream().map(Golden::partition).toList()
                + " " + shown(topic.authorizedOperations());
        }
        if (value instanceof TopicListing topic) return topic.name() + " internal=" + topic.isInternal();
        if (value instanceof Node node) return node.id() + " " + node.host() + ":" + node.port() + " " + node.rack();
        if (value instanceof DeletedRecords deleted) return "from " + deleted.lowWatermark();
        if (value instanceof LogDirDescription dir) {
            var replicas = new TreeMap<String, String>();
            dir.replicaInfos().forEach((partition, info) -> replicas.put(partition.toString(), "lag " + info.offsetLag() + " future " + info.isFuture()));
            return "error " + dir.error() + " total " + dir.totalBytes().isPresent() + " usable " + dir.usableBytes().isPresent() + " " + replicas;
        }
        if (value instanceof QuorumInfo quorum) {
            return "leader " + quorum.leaderId() + " voters " + quorum.voters().stream().map(v -> v.replicaId()).toList() + " observers "
                + quorum.observers().stream().map(v -> v.replicaId()).toList();
        }
        if (value instanceof FeatureMetadata features) {
            return "finalized " + shown(features.finalizedFeatures()) + " supported " + shown(features.supportedFeatures());
        }
        return value.toString();
    }

    static String partition(TopicPartitionInfo info) {
        return info.partition() + " leader " + (info.leader() == null ? null : info.leader().id()) + " replicas "
            + info.replicas().stream().map(Node::id).toList() + " isr " + info.isr().stream().map(Node::id).toList();
    }

    /** A field of the answer that fails as the whole does, so that both are shown. */
    static <K, V> Map<String, String> each(Map<K, KafkaFuture<V>> futures) throws Exception {
        var all = new TreeMap<String, String>();
        for (var entry : futures.entrySet()) all.put(shown(entry.getKey()), shownDone(entry.getValue()));
        return all;
    }

    static String shownDone(KafkaFuture<?> future) throws Exception {
        var text = shown(future);
        return text.equals("null") ? "done" : text;
    }

    static List<String> shownAll(Collection<?> values) throws Exception {
        var all = new ArrayList<String>();
        for (var each : values) all.add(shown(each));
        return all;
    }

    static String longer(String text, int times) { return text.repeat(times); }

    // ---- topics

    static void create(String what, NewTopic topic) { create(what, topic, false); }

    static void create(String what, NewTopic topic, boolean validateOnly) {
        call("createTopics " + what + (validateOnly ? " validateOnly" : ""), () -> {
            var result = admin.createTopics(List.of(topic), new CreateTopicsOptions().validateOnly(validateOnly).retryOnQuotaViolation(false));
            var done = shownDone(result.values().get(topic.name()));
            if (!done.equals("done")) return done;
            return "partitions " + shown(result.numPartitions(topic.name())) + " replicas " + shown(result.replicationFactor(topic.name()));
        });
    }

    static NewTopic topic(String name, int partitions, int replicas) {
        return new NewTopic(name, partitions == NONE ? Optional.empty() : Optional.of(partitions), replicas == NONE ? Optional.empty() : Optional.of((short) replicas));
    }

    static void topics() {
        create("good", topic("good", 3, 1));
        create("again", topic("good", 3, 1));
        create("by default", topic("by-default", NONE, NONE));
        create("validated", topic("validated", 2, 1), true);
        create("absent after validation", topic("validated", 2, 1));
        create("with a dot", topic("with.dot", 1, 1));
        create("colliding", topic("with_dot", 1, 1));
        create("empty name", topic("", 1, 1));
        create("dot", topic(".", 1, 1));
        create("dots", topic("..", 1, 1));
        create("longest name", topic(longer("x", 249), 1, 1));
        create("too long a name", topic(longer("x", 250), 1, 1));
        create("bad characters", topic("a b", 1, 1));
        create("umlaut", topic("größe", 1, 1));
        create("slash", topic("a/b", 1, 1));
        create("no partitions", topic("t0", 0, 1));
        create("negative partitions", topic("t0", -2, 1));
        create("many replicas", topic("t0", 1, 2));
        create("no replicas", topic("t0", 1, 0));
        create("negative replicas", topic("t0", 1, -2));
        create("metadata topic", topic("__cluster_metadata", 1, 1));
        create("assigned", new NewTopic("assigned", Map.of(0, List.of(1), 1, List.of(1))));
        create("assigned twice to one", new NewTopic("t0", Map.of(0, List.of(1, 1))));
        create("assigned to nobody known", new NewTopic("t0", Map.of(0, List.of(7))));
        create("assigned with a gap", new NewTopic("t0", Map.of(0, List.of(1), 2, List.of(1))));
        create("assigned from one on", new NewTopic("t0", Map.of(1, List.of(1))));
        create("assigned to none", new NewTopic("t0", Map.of(0, List.of())));
        for (var config : List.of("retention.ms=1000", "cleanup.policy=compact", "cleanup.policy=", "cleanup.policy=compact,delete", "min.insync.replicas=1", "max.message.bytes=100")) {
            var pair = config.split("=", 2);
            create("with " + config, topic("with-" + config.replaceAll("[^a-z0-9]", "-"), 1, 1).configs(Map.of(pair[0], pair[1])));
        }
        for (var config : List.of("no.such.config=1", "retention.ms=soon", "retention.ms=-2", "segment.bytes=10", "cleanup.policy=shred", "cleanup.policy=delete,shred", "min.insync.replicas=0",
                "compression.type=rar", "message.timestamp.type=Now", "min.cleanable.dirty.ratio=2", "unclean.leader.election.enable=maybe", "max.message.bytes=-1", "flush.messages=0",
                "remote.storage.enable=true", "segment.ms=0", "delete.retention.ms=-1", "compression.gzip.level=0", "compression.gzip.level=10", "compression.zstd.level=23", "local.retention.ms=-3", "retention.bytes=-5")) {
            var pair = config.split("=", 2);
            create("refused " + config, topic("t0", 1, 1).configs(Map.of(pair[0], pair[1])));
        }
        create("lags that conflict", topic("t0", 1, 1).configs(Map.of("min.compaction.lag.ms", "10", "max.compaction.lag.ms", "5")));
        call("createTopics several", () -> each(admin.createTopics(List.of(topic("s1", 1, 1), topic("good", 1, 1), topic("s 2", 1, 1))).values()));
        call("createTopics configs in the answer", () -> {
            var config = admin.createTopics(List.of(topic("answered", 1, 1).configs(Map.of("retention.ms", "5")))).config("answered").get();
            return config.entries().stream().filter(e -> !e.name().startsWith("durability.") && !e.name().startsWith("barnabas.")).map(e -> e.name() + "=" + e.value() + " " + e.source()).sorted().toList();
        });
        call("listTopics", () -> without(admin.listTopics().listings().get()));
        call("listTopics internal", () -> without(admin.listTopics(new ListTopicsOptions().listInternal(true)).listings().get()));
        for (var name : List.of("good", "absent", "", "a b", ".", "assigned", "by-default", longer("x", 249))) {
            call("describeTopics " + name, () -> each(admin.describeTopics(List.of(name)).topicNameValues()));
        }
        call("describeTopics with operations", () -> each(admin.describeTopics(List.of("good"), new DescribeTopicsOptions().includeAuthorizedOperations(true)).topicNameValues()));
        call("describeTopics several", () -> each(admin.describeTopics(List.of("good", "absent", "s1")).topicNameValues()));
        call("describeTopics limited", () -> each(admin.describeTopics(List.of("good", "assigned"), new DescribeTopicsOptions().partitionSizeLimitPerResponse(2)).topicNameValues()));
        call("describeTopics by unknown id", () -> each(admin.describeTopics(TopicCollection.ofTopicIds(List.of(Uuid.fromString("AAAAAAAAAAAAAAAAAAAAAQ")))).topicIdValues()));
        call("describeTopics by zero id", () -> each(admin.describeTopics(TopicCollection.ofTopicIds(List.of(Uuid.ZERO_UUID))).topicIdValues()));
    }

    static Object without(Collection<TopicListing> listings) throws Exception {
        return listings.stream().map(l -> l.name() + " " + l.isInternal()).sorted().toList();
    }

    // ---- settings

    static void settle() {
        try {
            Thread.sleep(SETTLE);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    static Map<String, ConfigEntry> describe(ConfigResource resource) throws Exception {
        var all = new TreeMap<String, ConfigEntry>();
        for (var entry : admin.describeConfigs(List.of(resource)).all().get().get(resource).entries()) all.put(entry.name(), entry);
        return all;
    }

    /** Names that only Barnabas has are left out: they are on the list of differences as a whole. */
    static List<String> settings(ConfigResource resource, boolean synonyms, String... names) throws Exception {
        var options = new DescribeConfigsOptions().includeSynonyms(synonyms);
        var wanted = Set.of(names);
        var lines = new TreeSet<String>();
        for (var entry : admin.describeConfigs(List.of(resource), options).all().get().get(resource).entries()) {
            if (wanted.isEmpty() || wanted.contains(entry.name())) lines.add(shown(entry));
        }
        return new ArrayList<>(lines);
    }

    static void described(ConfigResource resource, String... names) {
        call("describeConfigs " + resource.type() + ":" + resource.name() + " " + List.of(names), () -> settings(resource, true, names));
    }

    static void alter(Type type, String name, Object... ops) { alter(false, type, name, ops); }

    static void alter(boolean validateOnly, Type type, String name, Object... ops) {
        var resource = new ConfigResource(type, name);
        var list = new ArrayList<AlterConfigOp>();
        var what = new StringJoiner(" ");
        for (int i = 0; i < ops.length; i += 2) {
            var pair = ((String) ops[i + 1]).split("=", 2);
            var value = pair.length == 2 ? pair[1] : null;
            list.add(new AlterConfigOp(new ConfigEntry(pair[0], value), (OpType) ops[i]));
            what.add(ops[i] + " " + ops[i + 1]);
        }
        call("alter " + type + ":" + name + (validateOnly ? " validateOnly " : " ") + what,
            () -> {
                var answer = each(admin.incrementalAlterConfigs(Map.of(resource, list), new AlterConfigsOptions().validateOnly(validateOnly)).values());
                if (type != Type.BROKER_LOGGER && !validateOnly && answer.containsValue("done")) settle();
                return answer;
            });
    }

    static void topicConfigs() {
        var good = new ConfigResource(Type.TOPIC, "good");
        for (var name : describedNames()) described(good, name);
        call("describeConfigs names", () -> describe(good).keySet().stream().filter(n -> !n.startsWith("durability.") && !n.startsWith("barnabas.")).toList());
        for (var name : List.of("absent", "", "a b", longer("x", 250))) {
            call("describeConfigs TOPIC:" + name, () -> each(admin.describeConfigs(List.of(new ConfigResource(Type.TOPIC, name))).values()));
        }
        call("describeConfigs docs", () -> describeDocs(good));
        alter(Type.TOPIC, "good", OpType.SET, "retention.ms=3600000");
        described(good, "retention.ms");
        alter(Type.TOPIC, "good", OpType.SET, "retention.ms=3600000");
        alter(true, Type.TOPIC, "good", OpType.SET, "retention.ms=7");
        described(good, "retention.ms");
        alter(Type.TOPIC, "good", OpType.DELETE, "retention.ms");
        alter(Type.TOPIC, "good", OpType.DELETE, "retention.ms");
        described(good, "retention.ms");
        alter(Type.TOPIC, "good", OpType.APPEND, "cleanup.policy=compact");
        described(good, "cleanup.policy");
        alter(Type.TOPIC, "good", OpType.APPEND, "cleanup.policy=compact");
        described(good, "cleanup.policy");
        alter(Type.TOPIC, "good", OpType.SUBTRACT, "cleanup.policy=delete");
        described(good, "cleanup.policy");
        alter(Type.TOPIC, "good", OpType.SUBTRACT, "cleanup.policy=compact");
        described(good, "cleanup.policy");
        alter(Type.TOPIC, "good", OpType.SUBTRACT, "cleanup.policy=absent");
        alter(Type.TOPIC, "good", OpType.APPEND, "cleanup.policy=shred");
        alter(Type.TOPIC, "good", OpType.APPEND, "retention.ms=5");
        alter(Type.TOPIC, "good", OpType.SUBTRACT, "retention.ms=5");
        alter(Type.TOPIC, "good", OpType.APPEND, "no.such.config=5");
        alter(Type.TOPIC, "good", OpType.DELETE, "no.such.config");
        alter(Type.TOPIC, "good", OpType.SET, "retention.ms");
        alter(Type.TOPIC, "good", OpType.SET, "retention.ms=1", OpType.SET, "retention.ms=2");
        alter(Type.TOPIC, "good", OpType.SET, "segment.bytes=2097152", OpType.SET, "segment.ms=60000");
        described(good, "segment.bytes", "segment.ms");
        alter(Type.TOPIC, "good", OpType.SET, "segment.bytes=4194304", OpType.SET, "segment.ms=zero");
        described(good, "segment.bytes", "segment.ms");
        alter(Type.TOPIC, "good", OpType.SET, "leader.replication.throttled.replicas=0:1,1:1");
        alter(Type.TOPIC, "good", OpType.SET, "leader.replication.throttled.replicas=*");
        alter(Type.TOPIC, "good", OpType.SET, "leader.replication.throttled.replicas=nonsense");
        alter(Type.TOPIC, "good", OpType.SET, "min.compaction.lag.ms=10", OpType.SET, "max.compaction.lag.ms=5");
        alter(Type.TOPIC, "good", OpType.SET, "max.compaction.lag.ms=5");
        alter(Type.TOPIC, "good", OpType.SET, "min.compaction.lag.ms=10");
        alter(Type.TOPIC, "good", OpType.SET, "remote.storage.enable=true");
        alter(Type.TOPIC, "good", OpType.SET, "remote.log.copy.disable=true");
        alter(Type.TOPIC, "good", OpType.SET, "cleanup.policy=");
        described(good, "cleanup.policy");
        for (var value : List.of("no.such.config=1", "retention.ms=soon", "retention.ms=-2", "retention.ms= 77 ", "segment.bytes=10", "cleanup.policy=shred", "cleanup.policy=delete,delete", "min.insync.replicas=0", "min.insync.replicas=5",
                "compression.type=rar", "compression.type=gzip", "message.timestamp.type=LogAppendTime", "message.timestamp.type=now", "unclean.leader.election.enable=TRUE", "unclean.leader.election.enable=maybe",
                "max.message.bytes=-1", "flush.messages=0", "flush.ms=-1", "segment.index.bytes=3", "index.interval.bytes=-1", "file.delete.delay.ms=-1", "preallocate=true", "preallocate=yes", "min.cleanable.dirty.ratio=0.1", "min.cleanable.dirty.ratio=nan", "segment.jitter.ms=-1", "local.retention.bytes=-3",
                "message.timestamp.before.max.ms=-1", "message.timestamp.after.max.ms=-1", "message.downconversion.enable=true", "message.format.version=3.0", "retention.ms=9223372036854775808", "segment.bytes=2147483648")) {
            alter(Type.TOPIC, "good", OpType.SET, value);
        }
        described(good, "retention.ms", "unclean.leader.election.enable", "preallocate", "min.insync.replicas", "min.cleanable.dirty.ratio", "compression.type");
        for (var name : List.of("absent", "", "a b", ".")) alter(Type.TOPIC, name, OpType.SET, "retention.ms=1");
        alter(Type.TOPIC, "absent", OpType.SET, "no.such.config=1");
        call("alter two topics, one of them bad", () -> each(admin.incrementalAlterConfigs(Map.of(
            new ConfigResource(Type.TOPIC, "assigned"), List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "5"), OpType.SET)),
            new ConfigResource(Type.TOPIC, "absent"), List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "5"), OpType.SET)))).values()));
        described(new ConfigResource(Type.TOPIC, "assigned"), "retention.ms");
        call("alter nothing", () -> each(admin.incrementalAlterConfigs(Map.of(good, List.<AlterConfigOp>of())).values()));
        call("alter UNKNOWN", () -> each(admin.incrementalAlterConfigs(Map.of(new ConfigResource(Type.UNKNOWN, "x"), List.of(new AlterConfigOp(new ConfigEntry("a", "b"), OpType.SET)))).values()));
        call("describeConfigs UNKNOWN", () -> each(admin.describeConfigs(List.of(new ConfigResource(Type.UNKNOWN, "x"))).values()));
    }

    static Set<String> describedNames() {
        try {
            return describe(new ConfigResource(Type.TOPIC, "good")).keySet().stream().filter(n -> !n.startsWith("durability.") && !n.startsWith("barnabas.")).collect(Collectors.toCollection(TreeSet::new));
        } catch (Exception thrown) {
            return Set.of("retention.ms");
        }
    }

    /** Whether every setting has a documentation: the texts are each server's own. */
    static Object describeDocs(ConfigResource resource) throws Exception {
        var options = new DescribeConfigsOptions().includeDocumentation(true);
        var entries = admin.describeConfigs(List.of(resource), options).all().get().get(resource).entries();
        return entries.stream().filter(e -> e.documentation() == null || e.documentation().isBlank()).map(ConfigEntry::name).sorted().toList();
    }

    static void brokerConfigs() throws Exception {
        var broker = new ConfigResource(Type.BROKER, "1");
        var all = new ConfigResource(Type.BROKER, "");
        var own = List.of("log.durability.", "log.journal.", "log.checkpoint.interval.ms", "log.free.bytes.min", "config.unknown.keys", "barnabas.");
        call("describeConfigs BROKER:1 names", () -> describe(broker).keySet().stream().filter(n -> own.stream().noneMatch(n::startsWith)).toList());
        for (var line : settings(broker, true)) {
            var name = line.substring(0, line.indexOf('='));
            if (own.stream().noneMatch(name::startsWith)) call("describeConfigs BROKER:1 " + name, () -> line);
        }
        call("describeConfigs docs", () -> describeDocs(broker));
        for (var name : List.of("2", "x")) {
            call("describeConfigs BROKER:" + name, () -> each(hasty.describeConfigs(List.of(new ConfigResource(Type.BROKER, name))).values()));
        }
        described(new ConfigResource(Type.BROKER, "01"), "node.id");
        described(all);
        alter(Type.BROKER, "", OpType.SET, "log.retention.ms=86400000");
        described(all);
        described(broker, "log.retention.ms", "log.retention.hours", "log.retention.minutes");
        described(new ConfigResource(Type.TOPIC, "s1"), "retention.ms");
        alter(Type.BROKER, "1", OpType.SET, "log.retention.ms=43200000");
        described(broker, "log.retention.ms");
        described(new ConfigResource(Type.TOPIC, "s1"), "retention.ms");
        alter(true, Type.BROKER, "1", OpType.DELETE, "log.retention.ms");
        described(broker, "log.retention.ms");
        alter(Type.BROKER, "1", OpType.DELETE, "log.retention.ms");
        alter(Type.BROKER, "", OpType.DELETE, "log.retention.ms");
        described(broker, "log.retention.ms");
        described(all);
        for (var value : List.of("log.segment.bytes=2097152", "log.segment.bytes=10", "log.segment.bytes=ten", "message.max.bytes=2000000", "message.max.bytes=-1", "max.connections=1000", "max.connections=-1", "max.connections.per.ip=100",
                "log.cleanup.policy=compact", "log.cleanup.policy=shred", "log.retention.ms=-2", "log.roll.ms=1000", "log.flush.interval.ms=1000", "compression.type=lz4", "compression.type=rar", "min.insync.replicas=1", "min.insync.replicas=2",
                "unclean.leader.election.enable=true", "num.io.threads=9", "num.io.threads=0", "num.io.threads=100", "num.network.threads=4", "background.threads=11", "num.replica.fetchers=2", "num.recovery.threads.per.data.dir=3",
                "log.cleaner.threads=2", "log.cleaner.threads=0", "log.message.timestamp.type=LogAppendTime", "log.message.timestamp.type=x", "producer.id.expiration.ms=1000000", "max.connection.creation.rate=100000", "log.cleaner.backoff.ms=1000",
                "log.retention.hours=5", "log.dirs=/tmp/x", "num.partitions=5", "node.id=2", "broker.id=2", "listeners=PLAINTEXT://:1", "auto.create.topics.enable=false", "broker.rack=r", "default.replication.factor=2", "process.roles=broker",
                "no.such.config=1", "ssl.keystore.location=/x", "ssl.keystore.password=x", "listener.name.plaintext.ssl.keystore.location=/x", "sasl.jaas.config=x", "principal.builder.class=x", "advertised.listeners=PLAINTEXT://x:1", "listener.security.protocol.map=X:PLAINTEXT",
                "log.index.interval.bytes=-1", "group.consumer.session.timeout.ms=1", "group.coordinator.cached.buffer.max.bytes=1000000", "group.consumer.assignment.interval.ms=500", "follower.replication.throttled.rate=1000", "leader.replication.throttled.rate=x", "remote.log.manager.copy.max.bytes.per.second=100",
                "transaction.partition.verification.enable=false", "metric.reporters=", "config.providers=env", "super.users=User:x", "retention.ms=5", "log.retention.bytes=1000", "log.preallocate=true", "log.message.timestamp.after.max.ms=-1", "log.local.retention.ms=99", "cordoned.log.dirs=*", "cordoned.log.dirs=/x",
                "ssl.client.auth=required", "ssl.client.auth=x", "ssl.enabled.protocols=TLSv1.2", "sasl.enabled.mechanisms=PLAIN", "listener.name.plaintext.plain.sasl.jaas.config=x", "listener.name.nosuch.ssl.truststore.location=/x")) {
            alter(Type.BROKER, "", OpType.SET, value);
            alter(true, Type.BROKER, "1", OpType.SET, value);
        }
        call("describeConfigs BROKER: altered", () -> settings(all, true));
        described(broker, "log.segment.bytes", "max.connections", "num.io.threads", "no.such.config", "unclean.leader.election.enable", "compression.type");
        described(new ConfigResource(Type.TOPIC, "s1"), "segment.bytes", "max.message.bytes", "cleanup.policy", "compression.type", "unclean.leader.election.enable", "message.timestamp.type", "min.insync.replicas");
        alter(Type.BROKER, "", OpType.APPEND, "log.cleanup.policy=delete");
        described(all, "log.cleanup.policy");
        alter(Type.BROKER, "", OpType.SUBTRACT, "log.cleanup.policy=compact");
        described(all, "log.cleanup.policy");
        alter(Type.BROKER, "", OpType.APPEND, "log.segment.bytes=5");
        alter(Type.BROKER, "", OpType.APPEND, "no.such.config=5");
        alter(Type.BROKER, "01", OpType.SET, "log.retention.ms=1");
        alter(Type.BROKER, "", OpType.SET, "log.retention.ms=5", OpType.SET, "log.dirs=/x");
        alter(Type.BROKER, "", OpType.SET, "log.retention.ms");
        call("reset the cluster's defaults", () -> {
            var ops = new ArrayList<AlterConfigOp>();
            for (var name : describe(all).keySet()) ops.add(new AlterConfigOp(new ConfigEntry(name, null), OpType.DELETE));
            var answer = each(admin.incrementalAlterConfigs(Map.of(all, ops)).values());
            settle();
            return answer;
        });
        described(all);
        described(broker, "log.segment.bytes");
        described(new ConfigResource(Type.TOPIC, "s1"), "segment.bytes", "compression.type");
    }

    static void groupConfigs() {
        var group = new ConfigResource(Type.GROUP, "g");
        described(group);
        call("describeConfigs docs", () -> describeDocs(group));
        alter(Type.GROUP, "g", OpType.SET, "consumer.session.timeout.ms=50000");
        described(group, "consumer.session.timeout.ms");
        for (var value : List.of("consumer.session.timeout.ms=1", "consumer.session.timeout.ms=99999999", "consumer.session.timeout.ms=x", "consumer.heartbeat.interval.ms=6000", "consumer.heartbeat.interval.ms=1", "consumer.heartbeat.interval.ms=60000",
                "share.auto.offset.reset=earliest", "share.auto.offset.reset=never", "share.auto.offset.reset=by_duration:PT1H", "share.isolation.level=read_committed", "share.isolation.level=x", "share.record.lock.duration.ms=20000", "share.record.lock.duration.ms=1", "share.delivery.count.limit=3", "share.delivery.count.limit=100",
                "streams.num.standby.replicas=1", "streams.num.standby.replicas=9", "streams.session.timeout.ms=1", "no.such.config=1", "retention.ms=1", "share.session.timeout.ms=50000", "share.session.timeout.ms=1", "consumer.assignment.interval.ms=2000", "consumer.assignment.interval.ms=99999", "share.partition.max.record.locks=1000", "share.partition.max.record.locks=1")) {
            alter(Type.GROUP, "g", OpType.SET, value);
        }
        described(group);
        alter(Type.GROUP, "g", OpType.APPEND, "consumer.session.timeout.ms=5");
        alter(Type.GROUP, "", OpType.SET, "consumer.session.timeout.ms=50000");
        call("describeConfigs GROUP:", () -> each(admin.describeConfigs(List.of(new ConfigResource(Type.GROUP, ""))).values()));
        alter(Type.GROUP, "g", OpType.DELETE, "consumer.session.timeout.ms");
        described(group, "consumer.session.timeout.ms");
    }

    static void clientMetrics() {
        var metrics = new ConfigResource(Type.CLIENT_METRICS, "m");
        described(metrics);
        alter(Type.CLIENT_METRICS, "m", OpType.SET, "interval.ms=10000", OpType.SET, "metrics=org.apache.kafka.consumer.", OpType.SET, "match=client_id=x.*");
        described(metrics);
        for (var value : List.of("interval.ms=1", "interval.ms=99999999", "interval.ms=x", "match=nonsense", "match=client_id=[", "match=who=x", "match=client_software_name=a,client_software_version=b", "metrics=*", "metrics=", "no.such.config=1")) {
            alter(Type.CLIENT_METRICS, "m", OpType.SET, value);
        }
        described(metrics);
        alter(Type.CLIENT_METRICS, "m", OpType.APPEND, "metrics=another.");
        alter(Type.CLIENT_METRICS, "m", OpType.SUBTRACT, "metrics=another.");
        alter(Type.CLIENT_METRICS, "m", OpType.APPEND, "interval.ms=5");
        described(metrics);
        alter(Type.CLIENT_METRICS, "", OpType.SET, "interval.ms=10000");
        call("describeConfigs CLIENT_METRICS:", () -> each(admin.describeConfigs(List.of(new ConfigResource(Type.CLIENT_METRICS, ""))).values()));
        call("listClientMetricsResources", () -> admin.listClientMetricsResources().all().get().stream().map(l -> l.name()).sorted().toList());
        alter(Type.CLIENT_METRICS, "m", OpType.DELETE, "interval.ms", OpType.DELETE, "match", OpType.DELETE, "metrics");
        described(metrics);
    }

    static void loggers() {
        call("describeConfigs BROKER_LOGGER:1 has a root", () -> describe(new ConfigResource(Type.BROKER_LOGGER, "1")).keySet().contains("root"));
        for (var name : List.of("", "x")) {
            call("describeConfigs BROKER_LOGGER:" + name, () -> each(hasty.describeConfigs(List.of(new ConfigResource(Type.BROKER_LOGGER, name))).values()));
            alter(Type.BROKER_LOGGER, name, OpType.SET, "root=INFO");
        }
        alter(Type.BROKER_LOGGER, "1", OpType.SET, "root=LOUD");
        alter(Type.BROKER_LOGGER, "1", OpType.SET, "no.such.logger=INFO");
        alter(Type.BROKER_LOGGER, "1", OpType.APPEND, "root=INFO");
        alter(Type.BROKER_LOGGER, "1", OpType.SUBTRACT, "root=INFO");
        alter(Type.BROKER_LOGGER, "1", OpType.DELETE, "root");
        alter(Type.BROKER_LOGGER, "1", OpType.DELETE, "no.such.logger");
        alter(true, Type.BROKER_LOGGER, "1", OpType.SET, "root=INFO");
    }

    static void listedResources() {
        call("listConfigResources", () -> new TreeSet<>(shownAll(admin.listConfigResources().all().get())));
        for (var type : List.of(Type.TOPIC, Type.BROKER, Type.BROKER_LOGGER, Type.CLIENT_METRICS, Type.GROUP, Type.UNKNOWN)) {
            call("listConfigResources " + type, () -> new TreeSet<>(shownAll(admin.listConfigResources(Set.of(type), new ListConfigResourcesOptions()).all().get())));
        }
    }

    // ---- partitions and records

    static void more(String topic, NewPartitions partitions, boolean validateOnly) {
        call("createPartitions " + topic + " " + partitions + (validateOnly ? " validateOnly" : ""),
            () -> each(admin.createPartitions(Map.of(topic, partitions), new CreatePartitionsOptions().validateOnly(validateOnly).retryOnQuotaViolation(false)).values()));
    }

    static void partitions() {
        create("to grow", topic("grow", 1, 1));
        more("grow", NewPartitions.increaseTo(3), true);
        call("describeTopics grow", () -> each(admin.describeTopics(List.of("grow")).topicNameValues()));
        more("grow", NewPartitions.increaseTo(3), false);
        call("describeTopics grow", () -> each(admin.describeTopics(List.of("grow")).topicNameValues()));
        for (int count : new int[] {3, 2, 1, 0, -1}) more("grow", NewPartitions.increaseTo(count), false);
        more("grow", NewPartitions.increaseTo(4, List.of(List.of(1))), false);
        more("grow", NewPartitions.increaseTo(6, List.of(List.of(1))), false);
        more("grow", NewPartitions.increaseTo(5, List.of(List.of(7))), false);
        more("grow", NewPartitions.increaseTo(5, List.of(List.of(1, 1))), false);
        more("grow", NewPartitions.increaseTo(5, List.of(List.of())), false);
        more("grow", NewPartitions.increaseTo(5, List.of(List.of(1), List.of(1))), false);
        for (var name : List.of("absent", "", "a b")) more(name, NewPartitions.increaseTo(5), false);
        call("createPartitions several", () -> each(admin.createPartitions(Map.of("grow", NewPartitions.increaseTo(5), "absent", NewPartitions.increaseTo(5), "good", NewPartitions.increaseTo(1))).values()));
        call("describeTopics grow", () -> each(admin.describeTopics(List.of("grow")).topicNameValues()));
    }

    static void records() {
        create("with records", topic("records", 2, 1));
        settle();
        create("compacted", topic("compacted", 1, 1).configs(Map.of("cleanup.policy", "compact")));
        call("produce", () -> {
            try (var producer = new KafkaProducer<>(Map.<String, Object>of("bootstrap.servers", BOOTSTRAP), new StringSerializer(), new StringSerializer())) {
                for (int i = 0; i < 10; i++) producer.send(new ProducerRecord<>("records", 0, 1_000_000_000_000L + i, "k", "v")).get();
            }
            return "10";
        });
        var zero = new TopicPartition("records", 0);
        for (long before : new long[] {3, 3, 1, 0, -2, 11, 99, -1, 10, 11}) {
            call("deleteRecords before " + before, () -> each(admin.deleteRecords(Map.of(zero, RecordsToDelete.beforeOffset(before))).lowWatermarks()));
            call("listOffsets earliest", () -> offset(zero, OffsetSpec.earliest()));
        }
        for (var partition : List.of(new TopicPartition("records", 9), new TopicPartition("absent", 0), new TopicPartition("records", -1), new TopicPartition("compacted", 0), new TopicPartition("records", 1))) {
            call("deleteRecords of " + partition, () -> each(hasty.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(0))).lowWatermarks()));
        }
        call("deleteRecords of nothing", () -> each(admin.deleteRecords(Map.of()).lowWatermarks()));
        for (var spec : List.of(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp(), OffsetSpec.earliestLocal(), OffsetSpec.latestTiered(), OffsetSpec.forTimestamp(5))) {
            call("listOffsets " + spec.getClass().getSimpleName(), () -> offset(zero, spec));
        }
        call("listOffsets of absent", () -> offset(new TopicPartition("absent", 0), OffsetSpec.latest()));
        call("listOffsets of a partition that is absent", () -> offset(new TopicPartition("records", 9), OffsetSpec.latest()));
        for (var partition : List.of(zero, new TopicPartition("records", 1), new TopicPartition("records", 9), new TopicPartition("absent", 0))) {
            call("describeProducers " + partition, () -> {
                var future = hasty.describeProducers(List.of(partition)).partitionResult(partition);
                try {
                    return future.get(20, TimeUnit.SECONDS).activeProducers().stream().map(p -> "epoch " + p.producerEpoch() + " sequence " + p.lastSequence() + " time " + p.lastTimestamp() + " coordinator " + p.coordinatorEpoch() + " start " + p.currentTransactionStartOffset()).toList();
                } catch (Throwable thrown) {
                    return thrown(thrown);
                }
            });
        }
        call("describeProducers of a broker", () -> {
            var options = new DescribeProducersOptions().brokerId(1);
            return admin.describeProducers(List.of(zero), options).partitionResult(zero).get().activeProducers().size();
        });
    }

    static Object offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        var info = hasty.listOffsets(Map.of(partition, spec)).partitionResult(partition).get(20, TimeUnit.SECONDS);
        return info.offset() + " at " + info.timestamp() + " epoch " + info.leaderEpoch();
    }

    static void logDirs() {
        call("describeLogDirs", () -> each(admin.describeLogDirs(List.of(1)).descriptions()));
        call("describeLogDirs of an absent broker", () -> each(hasty.describeLogDirs(List.of(7)).descriptions()));
        var replica = new TopicPartitionReplica("records", 0, 1);
        call("describeReplicaLogDirs", () -> each(admin.describeReplicaLogDirs(List.of(replica, new TopicPartitionReplica("absent", 0, 1))).values()));
        for (var to : List.of("/no/such/dir", "relative", "", "<data>")) {
            call("alterReplicaLogDirs to " + to, () -> each(admin.alterReplicaLogDirs(Map.of(replica, to.equals("<data>") ? data : to)).values()));
        }
        call("alterReplicaLogDirs of absent", () -> each(admin.alterReplicaLogDirs(Map.of(new TopicPartitionReplica("absent", 0, 1), data)).values()));
        call("alterReplicaLogDirs of an absent partition", () -> each(admin.alterReplicaLogDirs(Map.of(new TopicPartitionReplica("records", 9, 1), data)).values()));
    }

    static void leaders() {
        var zero = new TopicPartition("records", 0);
        for (var type : ElectionType.values()) {
            call("electLeaders " + type, () -> admin.electLeaders(type, Set.of(zero)).partitions().get());
            call("electLeaders " + type + " of absent", () -> admin.electLeaders(type, Set.of(new TopicPartition("absent", 0), new TopicPartition("records", 9))).partitions().get());
            call("electLeaders " + type + " of all", () -> admin.electLeaders(type, null).partitions().get());
            call("electLeaders " + type + " of none", () -> admin.electLeaders(type, Set.of()).partitions().get());
        }
        call("listPartitionReassignments", () -> admin.listPartitionReassignments().reassignments().get());
        call("listPartitionReassignments of one", () -> admin.listPartitionReassignments(Set.of(zero)).reassignments().get());
        call("listPartitionReassignments of absent", () -> admin.listPartitionReassignments(Set.of(new TopicPartition("absent", 0))).reassignments().get());
        for (var to : List.of(List.of(1), List.of(7), List.of(1, 7), List.of(1, 1), List.<Integer>of(), List.of(-1))) {
            call("alterPartitionReassignments to " + to, () -> each(admin.alterPartitionReassignments(Map.of(zero, Optional.of(new NewPartitionReassignment(to)))).values()));
        }
        call("alterPartitionReassignments cancelled", () -> each(admin.alterPartitionReassignments(Map.of(zero, Optional.<NewPartitionReassignment>empty())).values()));
        call("alterPartitionReassignments of absent", () -> each(admin.alterPartitionReassignments(Map.of(new TopicPartition("absent", 0), Optional.of(new NewPartitionReassignment(List.of(1))))).values()));
        call("alterPartitionReassignments of an absent partition", () -> each(admin.alterPartitionReassignments(Map.of(new TopicPartition("records", 9), Optional.of(new NewPartitionReassignment(List.of(1))))).values()));
        call("alterPartitionReassignments cancelled for absent", () -> each(admin.alterPartitionReassignments(Map.of(new TopicPartition("absent", 0), Optional.<NewPartitionReassignment>empty())).values()));
    }

    static void clusterAndFeatures() {
        call("describeCluster", () -> {
            var result = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
            return shown(result.nodes()) + " " + shown(result.controller()) + " " + shown(result.authorizedOperations());
        });
        call("describeCluster with fenced", () -> admin.describeCluster(new DescribeClusterOptions().includeFencedBrokers(true)).nodes());
        call("describeMetadataQuorum", () -> admin.describeMetadataQuorum().quorumInfo());
        call("describeFeatures metadata.version", () -> {
            var features = admin.describeFeatures().featureMetadata().get();
            return features.finalizedFeatures().get("metadata.version") + " " + features.supportedFeatures().get("metadata.version");
        });
        update("metadata.version", 30, FeatureUpdate.UpgradeType.UPGRADE);
        update("metadata.version", 29, FeatureUpdate.UpgradeType.UPGRADE);
        update("metadata.version", 99, FeatureUpdate.UpgradeType.UPGRADE);
        update("metadata.version", 6, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE);
        update("no.such.feature", 1, FeatureUpdate.UpgradeType.UPGRADE);
        update("no.such.feature", 0, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE);
        call("updateFeatures of none", () -> each(admin.updateFeatures(Map.of(), new UpdateFeaturesOptions()).values()));
        call("unregisterBroker absent", () -> admin.unregisterBroker(7).all());
        call("unregisterBroker -1", () -> admin.unregisterBroker(-1).all());
        call("addRaftVoter", () -> admin.addRaftVoter(9, Uuid.fromString("AAAAAAAAAAAAAAAAAAAAAQ"), Set.of(new RaftVoterEndpoint("CONTROLLER", "localhost", 1))).all());
        call("removeRaftVoter", () -> admin.removeRaftVoter(9, Uuid.fromString("AAAAAAAAAAAAAAAAAAAAAQ")).all());
        call("clientInstanceId", () -> hasty.clientInstanceId(Duration.ofSeconds(2)) != null);
    }

    static void update(String feature, int level, FeatureUpdate.UpgradeType type) {
        call("updateFeatures " + feature + " " + level + " " + type + " validateOnly",
            () -> each(admin.updateFeatures(Map.of(feature, new FeatureUpdate((short) level, type)), new UpdateFeaturesOptions().validateOnly(true)).values()));
    }

    // ---- groups

    static void groups() {
        create("for a group", topic("grouped", 2, 1));
        call("listGroups", () -> listed());
        call("consume", () -> {
            try (var consumer = new KafkaConsumer<>(Map.<String, Object>of("bootstrap.servers", BOOTSTRAP, "group.id", "golden", "enable.auto.commit", "false", "auto.offset.reset", "earliest"), new StringDeserializer(), new StringDeserializer())) {
                consumer.subscribe(List.of("grouped"));
                for (int polls = 0; consumer.assignment().isEmpty() && polls < 100; polls++) consumer.poll(Duration.ofMillis(100));
                consumer.commitSync(Map.of(new TopicPartition("grouped", 0), new OffsetAndMetadata(5, "note")));
                call("listGroups while consuming", () -> listed());
                call("describeConsumerGroups while consuming", () -> described(admin.describeConsumerGroups(List.of("golden")).describedGroups().get("golden").get()));
                call("describeClassicGroups while consuming", () -> each(admin.describeClassicGroups(List.of("golden")).describedGroups()).toString().replaceAll("consumer-golden-1-<uuid>", "").contains("Stable"));
                call("deleteConsumerGroups while consuming", () -> each(admin.deleteConsumerGroups(List.of("golden")).deletedGroups()));
                call("deleteConsumerGroupOffsets while consuming", () -> shownDone(admin.deleteConsumerGroupOffsets("golden", Set.of(new TopicPartition("grouped", 0))).partitionResult(new TopicPartition("grouped", 0))));
                call("alterConsumerGroupOffsets while consuming", () -> shownDone(admin.alterConsumerGroupOffsets("golden", Map.of(new TopicPartition("grouped", 0), new OffsetAndMetadata(1))).partitionResult(new TopicPartition("grouped", 0))));
                call("removeMembers by an instance id that is absent", () -> admin.removeMembersFromConsumerGroup("golden", new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("nobody")))).all());
                return consumer.assignment();
            }
        });
        call("listGroups after", () -> listed());
        for (var state : GroupState.values()) {
            call("listGroups " + state, () -> admin.listGroups(new ListGroupsOptions().inGroupStates(Set.of(state))).all().get().stream().map(GroupListing::groupId).sorted().toList());
        }
        for (var type : List.of(GroupType.CLASSIC, GroupType.CONSUMER)) {
            call("listGroups " + type, () -> admin.listGroups(new ListGroupsOptions().withTypes(Set.of(type))).all().get().stream().map(GroupListing::groupId).sorted().toList());
        }
        for (var name : List.of("golden", "absent", "")) {
            call("describeConsumerGroups " + name, () -> described(admin.describeConsumerGroups(List.of(name)).describedGroups().get(name).get()));
            call("describeClassicGroups " + name, () -> {
                var group = admin.describeClassicGroups(List.of(name)).describedGroups().get(name).get();
                return group.groupId() + " " + group.protocol() + " " + group.state() + " members " + group.members().size();
            });
            call("listConsumerGroupOffsets " + name, () -> admin.listConsumerGroupOffsets(name).partitionsToOffsetAndMetadata());
            var offsets = Map.of(new TopicPartition("grouped", 0), new OffsetAndMetadata(7, "moved"), new TopicPartition("absent", 0), new OffsetAndMetadata(7));
            call("alterConsumerGroupOffsets " + name, () -> {
                var result = admin.alterConsumerGroupOffsets(name, offsets);
                return shownDone(result.partitionResult(new TopicPartition("grouped", 0))) + ", " + shownDone(result.partitionResult(new TopicPartition("absent", 0)));
            });
            call("listConsumerGroupOffsets " + name + " again", () -> admin.listConsumerGroupOffsets(name).partitionsToOffsetAndMetadata());
            call("deleteConsumerGroupOffsets " + name, () -> {
                var result = admin.deleteConsumerGroupOffsets(name, Set.of(new TopicPartition("grouped", 0), new TopicPartition("absent", 0)));
                return shownDone(result.partitionResult(new TopicPartition("grouped", 0))) + ", " + shownDone(result.partitionResult(new TopicPartition("absent", 0)));
            });
            call("removeMembers of all " + name, () -> admin.removeMembersFromConsumerGroup(name, new RemoveMembersFromConsumerGroupOptions()).all());
            call("deleteConsumerGroups " + name, () -> each(admin.deleteConsumerGroups(List.of(name)).deletedGroups()));
        }
        call("listGroups at the end", () -> listed());
    }

    static Object listed() throws Exception {
        return admin.listGroups().all().get().stream().map(g -> g.groupId() + " " + g.type() + " " + g.protocol() + " " + g.groupState()).sorted().toList();
    }

    static Object described(ConsumerGroupDescription group) throws Exception {
        var members = group.members().stream().map(m -> m.clientId() + " " + m.host() + " " + m.groupInstanceId() + " " + assignment(m)).sorted().toList();
        return group.groupId() + " simple " + group.isSimpleConsumerGroup() + " " + group.partitionAssignor() + " " + group.groupState() + " " + group.type() + " coordinator " + group.coordinator().id() + " " + members + " " + shown(group.authorizedOperations());
    }

    /** As MemberAssignment prints it, but in order: it is a set. */
    static String assignment(MemberDescription member) {
        var partitions = member.assignment().topicPartitions().stream().map(TopicPartition::toString).sorted();
        return "(topicPartitions=" + partitions.collect(Collectors.joining(",")) + ")";
    }

    static void transactions() {
        call("listTransactions", () -> admin.listTransactions().all().get().size());
        call("describeTransactions absent", () -> each(Map.of("absent", admin.describeTransactions(List.of("absent")).description("absent"))));
    }

    // ---- security, without an authorizer

    static void security() {
        call("describeAcls", () -> admin.describeAcls(AclBindingFilter.ANY).values());
        var binding = new AclBinding(new ResourcePattern(ResourceType.TOPIC, "good", PatternType.LITERAL), new AccessControlEntry("User:a", "*", AclOperation.READ, AclPermissionType.ALLOW));
        call("createAcls", () -> each(admin.createAcls(List.of(binding)).values()));
        call("deleteAcls", () -> each(admin.deleteAcls(List.of(binding.toFilter())).values()));
        call("describeDelegationToken", () -> admin.describeDelegationToken().delegationTokens());
        call("createDelegationToken", () -> admin.createDelegationToken().delegationToken());
    }

    static void deletions() {
        for (var name : List.of("good", "good", "absent", "", "a b")) {
            call("deleteTopics " + name, () -> each(admin.deleteTopics(List.of(name), new DeleteTopicsOptions().retryOnQuotaViolation(false)).topicNameValues()));
        }
        call("deleteTopics several", () -> each(admin.deleteTopics(List.of("s1", "absent", "grow")).topicNameValues()));
        call("deleteTopics by unknown id", () -> each(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(Uuid.fromString("AAAAAAAAAAAAAAAAAAAAAQ")))).topicIdValues()));
        call("deleteTopics by zero id", () -> each(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(Uuid.ZERO_UUID))).topicIdValues()));
        call("describeConfigs of a deleted topic", () -> each(admin.describeConfigs(List.of(new ConfigResource(Type.TOPIC, "good"))).values()));
        alter(Type.TOPIC, "good", OpType.SET, "retention.ms=1");
        create("again after deletion", topic("good", 1, 1));
        settle();
        described(new ConfigResource(Type.TOPIC, "good"), "retention.ms", "cleanup.policy");
        call("listTopics at the end", () -> without(admin.listTopics().listings().get()));
    }
}
