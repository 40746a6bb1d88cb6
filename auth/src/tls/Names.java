import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import javax.security.auth.x500.X500Principal;

/** Prints names.tsv: DER of a name, a tab, and what this JVM makes of it, both in hexadecimal. Run: java Names.java > names.tsv */
public class Names {
    static final String[] TYPES = {
        "550403", "550406", "550407", "550408", "550409", "55040a", "55040b", "0992268993f22c640101", "0992268993f22c640119",
        "2a864886f70d010901", "550405", "55040c", "550404", "55042a", "55042e", "2b0601040182370d02", "883703", "7881ffff7f",
    };
    static final int[] TAGS = {0x0c, 0x0c, 0x0c, 0x13, 0x13, 0x14, 0x16, 0x1b, 0x1e, 0x1a, 0x02, 0x04, 0x03};
    static final String[] VALUES = {
        "", " ", "  ", "a", " a", "a ", "  a b  ", "\r", "\ra\r", "\n", "a\nb", "\t", "#a", "a#", "a=b", "a,b", "a+b", "a<b>c", "a;b",
        "\"a\"", "a\\b", "\\", "\\2C", ",", "+CN=x", "Müller", "日本", "😀", "\u0000", "a\u0000b", "é ", " é", "\u00a0x\u00a0", "e\u0301",
        "example.com", "x@y.z", "A, B", "CN=admin,O=x", "\u007f", "\u0085", "\u2028", "A*B", "a/b", "a|b", "(x)", "a:b?", "'",
    };

    static byte[] element(int tag, byte[] content) {
        var out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.length < 128) {
            out.write(content.length);
        } else if (content.length < 256) {
            out.write(0x81);
            out.write(content.length);
        } else {
            out.write(0x82);
            out.write(content.length >> 8);
            out.write(content.length);
        }
        out.writeBytes(content);
        return out.toByteArray();
    }

    static byte[] join(List<byte[]> parts) {
        var out = new ByteArrayOutputStream();
        parts.forEach(out::writeBytes);
        return out.toByteArray();
    }

    static byte[] attribute(String type, int tag, byte[] value) {
        return element(0x30, join(List.of(element(0x06, HexFormat.of().parseHex(type)), element(tag, value))));
    }

    static void print(byte[] name) {
        String printed;
        try {
            printed = new X500Principal(name).getName();
        } catch (IllegalArgumentException refused) {
            return;
        }
        var hexadecimal = HexFormat.of();
        System.out.println(hexadecimal.formatHex(name) + "\t" + hexadecimal.formatHex(printed.getBytes(StandardCharsets.UTF_8)));
    }

    public static void main(String[] arguments) {
        System.out.println("# DER of a name and X500Principal.getName() of it, in hexadecimal; made by Names.java");
        print(element(0x30, new byte[0]));
        for (String type : TYPES) {
            for (int tag : new int[] {0x0c, 0x13, 0x1a}) {
                print(element(0x30, element(0x31, attribute(type, tag, "x y".getBytes(StandardCharsets.UTF_8)))));
            }
        }
        for (String value : VALUES) {
            print(element(0x30, element(0x31, attribute("550403", 0x0c, value.getBytes(StandardCharsets.UTF_8)))));
            print(element(0x30, element(0x31, attribute("55040a", 0x1e, value.getBytes(StandardCharsets.UTF_16BE)))));
            print(element(0x30, element(0x31, attribute("55040b", 0x14, value.getBytes(StandardCharsets.ISO_8859_1)))));
        }
        var random = new Random(7);
        for (int i = 0; i < 250; i++) {
            var parts = new ArrayList<byte[]>();
            for (int part = random.nextInt(5); part >= 0; part--) {
                var attributes = new ArrayList<byte[]>();
                for (int more = random.nextInt(4) == 0 ? random.nextInt(3) : 0; more >= 0; more--) {
                    var value = VALUES[random.nextInt(VALUES.length)] + VALUES[random.nextInt(VALUES.length)];
                    var bytes = value.getBytes(StandardCharsets.UTF_8);
                    if (random.nextInt(5) == 0) {
                        bytes = new byte[random.nextInt(12)];
                        random.nextBytes(bytes);
                    }
                    attributes.add(attribute(TYPES[random.nextInt(TYPES.length)], TAGS[random.nextInt(TAGS.length)], bytes));
                }
                parts.add(element(0x31, join(attributes)));
            }
            print(element(0x30, join(parts)));
        }
    }
}
