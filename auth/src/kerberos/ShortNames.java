import java.io.IOException;
import java.util.Arrays;
import org.apache.kafka.common.security.kerberos.KerberosName;
import org.apache.kafka.common.security.kerberos.KerberosShortNamer;

/** Prints short_names.tsv: rules, a name, and what Kafka makes of it. Run: java -cp 'JARS/*' ShortNames.java */
public class ShortNames {
    static final String[] NAMES = {
        "alice@REALM.COM", "Alice@OTHER.COM", "kafka/host.x@REALM.COM", "kafka/host.x@OTHER.COM", "App.bob@REALM.COM", "App.bob/h@OTHER.COM",
        "a/b/c@REALM.COM", "a@b@REALM.COM", "alice", "@REALM.COM", "/h@REALM.COM", "alice@", "aXa@REALM.COM", "Müller@REALM.COM",
    };
    static final String[] RULES = {
        "DEFAULT", "default", "DEFAULT,DEFAULT", "DEFAULTX", "RULE:[1:$1]", "RULE:[2:$1]", "RULE:[1:$1],RULE:[2:$2],DEFAULT",
        "RULE:[1:$1](App\\..*)s/App\\.(.*)/$1/g,RULE:[2:$1](App\\..*)s/App\\.(.*)/$1/g,DEFAULT", "RULE:[1:$1@$0](.*@OTHER.COM)s/@.*//",
        "RULE:[1:$1@$0](.*@OTHER.COM)s/@.*///L,DEFAULT", "RULE:[1:$1@$0](.*@OTHER.COM)s/@.*///U,DEFAULT", "RULE:[2:$1.$2]/L", "RULE:[2:$1.$2]L",
        "RULE:[2:$1.$2]/U", "RULE:[2:$1/$2]", "RULE:[1:$1@$0],DEFAULT", "RULE:[1:$0]", "RULE:[1:$2]", "RULE:[1:$]", "RULE:[1:$x]", "RULE:[0:x]", "RULE:[3:$3]",
        "RULE:[:$1]", "RULE:[a:$1]", "RULE:[1:$1](a", "RULE:[1:$1](a.*),DEFAULT", "RULE:[1:$1](lice),DEFAULT", "RULE:[1:$1]s/a/b/", "RULE:[1:$1]s/a/b/g",
        "RULE:[1:$1]s/a/b/gL", "RULE:[1:$1]s/a/b/g/U", "RULE:[1:$1]s/a/b", "RULE:[1:$1]s/(a)/<$1>/g", "RULE:[1:$1]s/(a)/$2/", "RULE:[1:$1]s/(a)/$12/",
        "RULE:[1:$1]s/.*/x/g", "RULE:[1:$1]s/.*//", "RULE:[1:$1]s/X*/-/g", "RULE:[1:$1]s/X*/-/", "RULE:[1:$1]s/(?<n>a)/${n}${n}/", "RULE:[1:$1]s/a/\\$/",
        "RULE:[1:$1]/X", "RULE:[1:$1]//L", "RULE:[1:$1:$0]s/:.*//", "RULE:[1:$1])", "RULE:[1:]", "RULE:[1:x]", "RULE:[01:$1]", "RULE:[1:$01]", "RULE:[1:$1](),DEFAULT",
        "RULE:[1:$1](*)", "RULE:[1:$1]s/*/x/", "RULE:[1:$1]s/a/$/", "RULE:[2:$1](kafka)s/kafka/broker/,RULE:[1:$1]/L",
    };

    public static void main(String[] arguments) throws Exception {
        System.setOut(new java.io.PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, "UTF-8"));
        System.out.println("# Rules, a name, and what KerberosShortNamer of Apache Kafka 4.3.1 makes of it; made by ShortNames.java");
        for (String rules : RULES) {
            for (String name : NAMES) {
                System.out.println(rules + "\t" + name + "\t" + shortName(rules, name));
            }
        }
    }

    static String shortName(String rules, String name) {
        KerberosShortNamer namer;
        try {
            namer = KerberosShortNamer.fromUnparsedRules("REALM.COM", Arrays.asList(rules.split(",")));
        } catch (RuntimeException refused) {
            return "!refused";
        }
        KerberosName parsed;
        try {
            parsed = KerberosName.parse(name);
        } catch (IllegalArgumentException malformed) {
            return "!none";
        }
        try {
            return namer.shortName(parsed);
        } catch (IOException none) {
            return none.getClass().getSimpleName().equals("BadFormatString") ? "!wrong" : "!none";
        } catch (RuntimeException wrong) {
            return "!wrong";
        }
    }
}
