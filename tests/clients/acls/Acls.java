import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.tools.AclCommand;

/**
 * kafka-acls, many times in one process: each line of the file is one call, and what it printed follows it, with its lines
 * in order, because the tool prints sets.
 */
public class Acls {
    private static final class Ended extends RuntimeException {
        private Ended(int code) {
            super("exit " + code);
        }
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = System.out;
        Exit.setExitProcedure((code, message) -> {
            throw new Ended(code);
        });
        for (String line : Files.readAllLines(Path.of(args[1]))) {
            if (line.isBlank()) {
                continue;
            }
            out.println("$ kafka-acls " + line);
            for (String printed : run(args[0], line.replace("{client}", args[2]).replace("{controller}", args[3]))) {
                out.println(printed);
            }
        }
        out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static List<String> run(String bootstrap, String line) {
        boolean toController = line.startsWith("--bootstrap-controller");
        List<String> words = new ArrayList<>(toController ? List.of() : List.of("--bootstrap-server", bootstrap));
        words.addAll(Arrays.asList(line.split(" ")));
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(printed, true, StandardCharsets.UTF_8);
        PrintStream out = System.out;
        PrintStream err = System.err;
        System.setOut(stream);
        System.setErr(stream);
        String end = "exit 0";
        try {
            AclCommand.main(words.toArray(new String[0]));
        } catch (Throwable ended) {
            Throwable cause = ended;
            while (cause.getCause() != null && !(cause instanceof Ended)) {
                cause = cause.getCause();
            }
            end = cause.getMessage();
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        List<String> lines = new ArrayList<>();
        for (String text : printed.toString(StandardCharsets.UTF_8).split("\n")) {
            // Usage texts and stack traces are the tool's own; the tool reports its end as an exception here.
            boolean own = text.startsWith("\tat ") || text.startsWith("--") || text.startsWith("  ") || text.contains("Acls$Ended")
                || text.startsWith("Option") || text.startsWith("Error while executing ACL command: exit");
            if (!own && !text.isBlank()) {
                // A set of names, in an order that changes from run to run.
                lines.add("  " + text.strip().replaceAll("operations \\[.*]", "operations [...]"));
            }
        }
        lines.sort(null);
        lines.add("  " + end);
        return lines;
    }
}
