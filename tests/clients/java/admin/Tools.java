import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.regex.*;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main functions of Kafka's administrative tools one after the other, in one JVM, with the options that their
 * documentation names, and prints what each prints: without what differs from start to start. What they print on Apache Kafka
 * 4.3.1 is in tools-4.3.1.golden.
 */
public class Tools {
    static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    /** Apache Kafka answers a change of a broker's settings before it has made it: the recording waits, in milliseconds. */
    static final long SETTLE = Long.parseLong(System.getenv().getOrDefault("SETTLE_MS", "0"));
    static final PrintStream OUT = System.out;
    static Path directory;
    static Exited first = null;

    static class Exited extends RuntimeException {
        final int status;

        Exited(int status, String message) {
            super(message);
            this.status = status;
        }
    }

    public static void main(String[] args) throws Exception {
        Exit.setExitProcedure((status, message) -> { throw exited(status, message); });
        Exit.setHaltProcedure((status, message) -> { throw exited(status, message); });
        directory = Files.createTempDirectory("tools");
        topics();
        configs();
        records();
        cluster();
        leaders();
        run("TopicCommand", "--delete", "--topic", "tools-b");
        run("TopicCommand", "--list");
        OUT.flush();
        Runtime.getRuntime().halt(0);
    }

    /** The first exit is the one that is meant: tools catch what ends them, and exit once more. */
    static Exited exited(int status, String message) {
        if (first == null) first = new Exited(status, message);
        return first;
    }

    static void topics() throws Exception {
        run("TopicCommand", "--create", "--topic", "tools-a", "--partitions", "2", "--replication-factor", "1", "--config", "retention.ms=3600000");
        run("TopicCommand", "--create", "--topic", "tools-b");
        run("TopicCommand", "--create", "--topic", "tools-a");
        run("TopicCommand", "--create", "--topic", "tools-a", "--if-not-exists");
        run("TopicCommand", "--create", "--topic", "tools-c", "--replica-assignment", "1,1");
        run("TopicCommand", "--list");
        run("TopicCommand", "--list", "--exclude-internal");
        run("TopicCommand", "--describe", "--topic", "tools-a");
        run("TopicCommand", "--describe", "--topic", "tools-.*", "--topics-with-overrides");
        run("TopicCommand", "--describe", "--under-replicated-partitions");
        run("TopicCommand", "--describe", "--unavailable-partitions");
        run("TopicCommand", "--describe", "--under-min-isr-partitions");
        run("TopicCommand", "--describe", "--at-min-isr-partitions", "--topic", "tools-c");
        run("TopicCommand", "--describe", "--topic", "absent");
        run("TopicCommand", "--describe", "--topic", "absent", "--if-exists");
        run("TopicCommand", "--describe", "--exclude-internal", "--partition-size-limit-per-response", "1", "--topic", "tools-a");
        run("TopicCommand", "--alter", "--topic", "tools-a", "--partitions", "4");
        run("TopicCommand", "--alter", "--topic", "tools-a", "--partitions", "3");
        run("TopicCommand", "--alter", "--topic", "absent", "--partitions", "3");
        run("TopicCommand", "--alter", "--topic", "absent", "--partitions", "3", "--if-exists");
        run("TopicCommand", "--describe", "--topic", "tools-a");
    }

    static void configs() throws Exception {
        configs("--entity-type", "topics", "--entity-name", "tools-a", "--describe");
        configs("--entity-type", "topics", "--entity-name", "tools-a", "--alter", "--add-config", "retention.ms=7200000,cleanup.policy=[delete,compact]");
        configs("--entity-type", "topics", "--entity-name", "tools-a", "--describe");
        configs("--entity-type", "topics", "--entity-name", "tools-a", "--alter", "--delete-config", "retention.ms");
        configs("--entity-type", "topics", "--entity-name", "tools-a", "--alter", "--delete-config", "retention.ms");
        configs("--entity-type", "topics", "--entity-name", "tools-a", "--alter", "--add-config", "retention.ms=soon");
        configs("--entity-type", "topics", "--entity-name", "tools-a", "--describe");
        configs("--entity-type", "topics", "--entity-name", "tools-b", "--describe", "--all");
        configs("--entity-type", "topics", "--entity-name", "absent", "--describe");
        configs("--topic", "tools-b", "--alter", "--add-config", "max.message.bytes=2000000");
        configs("--entity-type", "brokers", "--entity-name", "1", "--describe");
        configs("--entity-type", "brokers", "--entity-default", "--describe");
        configs("--entity-type", "brokers", "--entity-default", "--alter", "--add-config", "log.retention.ms=86400000");
        configs("--entity-type", "brokers", "--entity-default", "--describe");
        configs("--entity-type", "brokers", "--entity-name", "1", "--alter", "--add-config", "log.segment.bytes=2097152");
        configs("--entity-type", "brokers", "--entity-name", "1", "--describe");
        configs("--entity-type", "brokers", "--entity-name", "1", "--alter", "--add-config", "log.dirs=/x");
        configs("--entity-type", "brokers", "--entity-name", "1", "--alter", "--delete-config", "log.segment.bytes");
        configs("--entity-type", "brokers", "--entity-default", "--alter", "--delete-config", "log.retention.ms");
        configs("--entity-type", "broker-loggers", "--entity-name", "1", "--alter", "--add-config", "root=LOUD");
        configs("--entity-type", "client-metrics", "--entity-name", "m", "--alter", "--add-config", "interval.ms=60000,metrics=[org.apache.kafka.consumer.],match=[client_id=a.*]");
        configs("--entity-type", "client-metrics", "--entity-name", "m", "--describe");
        configs("--entity-type", "client-metrics", "--describe");
        configs("--entity-type", "client-metrics", "--entity-name", "m", "--alter", "--delete-config", "interval.ms,metrics,match");
        configs("--entity-type", "groups", "--entity-name", "g", "--alter", "--add-config", "consumer.session.timeout.ms=50000");
        configs("--entity-type", "groups", "--entity-name", "g", "--describe");
        configs("--entity-type", "groups", "--describe");
        configs("--entity-type", "groups", "--entity-name", "g", "--alter", "--delete-config", "consumer.session.timeout.ms");
    }

    static void configs(String... options) throws Exception {
        run("kafka.admin.ConfigCommand", options);
        if (List.of(options).contains("--alter")) Thread.sleep(SETTLE);
    }

    static void records() throws Exception {
        run("DeleteRecordsCommand", "--offset-json-file", json("{\"partitions\":[{\"topic\":\"tools-b\",\"partition\":0,\"offset\":0}],\"version\":1}"));
        run("DeleteRecordsCommand", "--offset-json-file", json("{\"partitions\":[{\"topic\":\"tools-b\",\"partition\":0,\"offset\":5}],\"version\":1}"));
        run("GetOffsetShell", "--topic", "tools-b");
        run("GetOffsetShell", "--topic-partitions", "tools-a:0-2", "--time", "earliest");
        run("LogDirsCommand", "--describe", "--topic-list", "tools-b");
        run("LogDirsCommand", "--describe", "--broker-list", "1", "--topic-list", "tools-b");
    }

    static void cluster() throws Exception {
        run("MetadataQuorumCommand", "describe", "--status");
        run("MetadataQuorumCommand", "describe", "--replication");
        run("FeatureCommand", "describe");
        run("FeatureCommand", "upgrade", "--feature", "metadata.version=30", "--dry-run");
        run("FeatureCommand", "downgrade", "--feature", "metadata.version=29", "--dry-run");
        run("ClusterTool", "cluster-id");
        run("ClusterTool", "unregister", "--id", "7");
        run("ClusterTool", "list-endpoints");
        run("BrokerApiVersionsCommand");
        run("ClientMetricsCommand", "--list");
        run("ClientMetricsCommand", "--alter", "--name", "n", "--interval", "1000", "--metrics", "org.apache.kafka.producer.");
        run("ClientMetricsCommand", "--describe", "--name", "n");
        run("ClientMetricsCommand", "--delete", "--name", "n");
    }

    static void leaders() throws Exception {
        run("LeaderElectionCommand", "--election-type", "preferred", "--topic", "tools-a", "--partition", "0");
        run("LeaderElectionCommand", "--election-type", "unclean", "--all-topic-partitions");
        run("LeaderElectionCommand", "--election-type", "preferred", "--path-to-json-file", json("{\"partitions\":[{\"topic\":\"tools-a\",\"partition\":1},{\"topic\":\"absent\",\"partition\":0}]}"));
        var plan = json("{\"version\":1,\"partitions\":[{\"topic\":\"tools-b\",\"partition\":0,\"replicas\":[1],\"log_dirs\":[\"any\"]}]}");
        run("reassign.ReassignPartitionsCommand", "--execute", "--reassignment-json-file", plan);
        run("reassign.ReassignPartitionsCommand", "--verify", "--reassignment-json-file", plan);
        run("reassign.ReassignPartitionsCommand", "--list");
        run("reassign.ReassignPartitionsCommand", "--cancel", "--reassignment-json-file", plan);
        run("reassign.ReassignPartitionsCommand", "--generate", "--broker-list", "1", "--topics-to-move-json-file", json("{\"topics\":[{\"topic\":\"tools-b\"}],\"version\":1}"));
        run("reassign.ReassignPartitionsCommand", "--execute", "--reassignment-json-file", json("{\"version\":1,\"partitions\":[{\"topic\":\"tools-b\",\"partition\":0,\"replicas\":[7]}]}"));
    }

    static String json(String text) throws IOException {
        var file = Files.createTempFile(directory, "tools", ".json");
        Files.writeString(file, text);
        return file.toString();
    }

    /** Runs one tool, and prints the lines of both its outputs, sorted where the tool has no order. */
    static void run(String tool, String... options) throws Exception {
        var name = tool.contains("kafka.") ? tool : "org.apache.kafka.tools." + tool;
        var all = new ArrayList<String>();
        boolean isCommand = options.length > 0 && !options[0].startsWith("--");
        if (isCommand) all.addAll(List.of(options));
        if (isCommand && tool.equals("ClusterTool")) {
            all.add("--bootstrap-server");
            all.add(BOOTSTRAP);
        } else {
            all.add(0, BOOTSTRAP);
            all.add(0, "--bootstrap-server");
        }
        if (!isCommand) all.addAll(List.of(options));
        var bytes = new ByteArrayOutputStream();
        var captured = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        var error = System.err;
        System.setOut(captured);
        System.setErr(captured);
        String status = "0";
        first = null;
        try {
            scala.Console.withOut(captured, () -> {
                try {
                    Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) all.toArray(new String[0]));
                } catch (ReflectiveOperationException thrown) {
                    throw new RuntimeException(thrown.getCause() == null ? thrown : thrown.getCause());
                }
                return null;
            });
        } catch (Throwable thrown) {
            Throwable cause = thrown;
            while (cause instanceof RuntimeException && !(cause instanceof Exited) && cause.getCause() != null) cause = cause.getCause();
            status = cause.toString();
        } finally {
            if (first != null) status = first.status + (first.getMessage() == null ? "" : " " + first.getMessage());
            System.setOut(OUT);
            System.setErr(error);
        }
        var lines = new TreeSet<String>();
        for (var line : bytes.toString(StandardCharsets.UTF_8).split("\n")) {
            // Where in the tool it happened, and what it says of itself.
            // Settings of our own are no difference.
            if (line.startsWith("  durability.") || line.startsWith("  barnabas.")) continue;
            if (!line.startsWith("\tat ") && !line.isBlank() && !line.startsWith("Tools$Exited") && !line.equals("null")) lines.add(normal(line));
        }
        OUT.printf("%s %s => %s %s%n", tool, normal(String.join(" ", options)), normal(status), tool.startsWith("BrokerApi") ? lines.size() > 20 : lines);
    }

    static String normal(String text) {
        text = text.replaceAll("127\\.0\\.0\\.1:\\d+", "127.0.0.1:<port>").replaceAll("127\\.0\\.0\\.1 +\\d+ +", "127.0.0.1 <port> ");
        text = text.replace(directory.toString(), "<dir>").replaceAll("tools\\d+\\.json", "tools.json");
        text = text.replaceAll("TopicId: \\S+", "TopicId: <id>").replaceAll("(ClusterId|Cluster ID): +\\S+", "$1: <id>");
        text = text.replaceAll("(LeaderEpoch|HighWatermark|MaxFollowerLagTimeMs|LogEndOffset|Epoch):?(\\s+)\\d+", "$1 <n>");
        text = text.replaceAll("^(\\d+\\s+\\S+\\s+)\\d+\\s+(\\d+\\s+)\\d+(\\s+)\\d+", "$1<n> $2<time>$3<time>");
        text = text.replaceAll("\"log_dirs\":\\[\"/[^\"]*\"", "\"log_dirs\":[\"<data>\"");
        text = text.replaceAll("\"logDir\":\"[^\"]*\"", "\"logDir\":\"<data>\"").replaceAll("\"size\":\\d+", "\"size\":<n>");
        text = text.replaceAll("Epoch: \\d+", "Epoch: <n>").replaceAll("\\s+$", "");
        return text;
    }
}
