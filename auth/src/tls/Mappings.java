import java.io.IOException;
import org.apache.kafka.common.security.ssl.SslPrincipalMapper;

/** Prints mappings.tsv: rules, a subject, and the name that Kafka's mapper makes of it. Run: java -cp 'JARS/*' Mappings.java */
public class Mappings {
    static final String[] SUBJECTS = {
        "CN=Duke,OU=ServiceUsers,O=Org,C=US", "CN=duke,OU=Admin,O=x,L=\\,y", "", "aXa", "CN=Müller,O=ÄÖ", "CN=alice_7,O=a\u00a0b",
    };
    static final String[] RULES = {
        "DEFAULT", "", " DEFAULT ", "DEFAULT,", ",DEFAULT", "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/",
        "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/L,DEFAULT", "RULE:^CN=(.*?),OU=(.*?),O=(.*?),C=(.*?)$/$1@$2/L , RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/U",
        "RULE:.*/x/", "RULE:.*/x/,DEFAULT", "RULE:^.*$/x/", "RULE:.+/x/", "RULE:(.*)/$1/", "RULE:(.*)/<$1>/", "RULE:(.+)/$1$2/", "RULE:(.+)/$12/",
        "RULE:(.+)/a\\/b/", "RULE:C\\/N.*/x/", "RULE:(.+)/$0/", "RULE:.+/$0/U", "RULE:(?<n>C).*/${n}/", "RULE:(a)?.*/[$1]/",
        "RULE:a|aXa/y/", "RULE:a*?X?.*/-/", "RULE:.+/y/L,DEFAULT", "RULE:(.+)/$10$11/U", "RULE:(.+)/é$1/U", "RULE:C.*,O.*\\,.*/comma/", "RULE:(.+)/$5/",
        "RULE:.+//", "RULE:(.)(.).*/$2$1$3/", "RULE:.+/x", "DEFAUL", "RULE:.+/x/LU", "RULE:(.+)/\\\\$1/",
        "RULE:CN=(\\w+),.*/$1/", "RULE:CN=([\\w.-]+),.*/$1/", "RULE:CN=(\\W|[^\\W])+,O=(\\S+)/$2/", "RULE:.*(\\d),.*/$1/", "RULE:.*O=(\\D\\s\\D)/$1/",
    };

    public static void main(String[] arguments) {
        System.out.println("# Rules, a subject, and what SslPrincipalMapper of Apache Kafka 4.3.1 makes of it; made by Mappings.java");
        for (String rules : RULES) {
            for (String subject : SUBJECTS) {
                String name;
                try {
                    name = SslPrincipalMapper.fromRules(rules).getName(subject);
                } catch (IOException none) {
                    name = "!none";
                } catch (RuntimeException refused) {
                    name = "!refused";
                }
                System.out.println(rules + "\t" + subject + "\t" + name);
            }
        }
    }
}
