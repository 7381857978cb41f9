// Answers questions of permission with Kafka's own StandardAuthorizer, for test/acl-questions.ts: lines come in, and go
// out with 1 or 0 behind each question. Runs as a single source file with Kafka's jars on the class path.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.internals.Plugin;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.metadata.authorizer.StandardAcl;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.authorizer.AuthorizationResult;

public class AclDecisions {
  record Asker(KafkaPrincipal principal, InetAddress clientAddress) implements AuthorizableRequestContext {
    public String listenerName() { return "PLAINTEXT"; }
    public SecurityProtocol securityProtocol() { return SecurityProtocol.PLAINTEXT; }
    public int requestType() { return 3; }
    public int requestVersion() { return 0; }
    public String clientId() { return ""; }
    public int correlationId() { return 0; }
  }

  static Asker asker(String principal, String host) throws Exception {
    String[] parts = principal.split(":", 2);
    return new Asker(new KafkaPrincipal(parts[0], parts[1]), InetAddress.getByName(host));
  }

  static StandardAuthorizer fresh(String allowIfNoAcl, String superUsers) {
    StandardAuthorizer authorizer = new StandardAuthorizer();
    Plugin.wrapInstance(authorizer, new Metrics(), "authorizer.class.name");
    authorizer.configure(Map.of("allow.everyone.if.no.acl.found", allowIfNoAcl, "super.users", superUsers));
    return authorizer;
  }

  static byte code(String text) { return Byte.parseByte(text); }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    StandardAuthorizer authorizer = null;
    Map<Uuid, StandardAcl> acls = new HashMap<>();
    boolean loaded = false;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] f = line.split("\t", -1);
      switch (f[0]) {
        case "policy" -> {
          authorizer = fresh(f[1], f[2]);
          acls.clear();
          loaded = false;
        }
        case "acl" -> acls.put(Uuid.randomUuid(), new StandardAcl(ResourceType.fromCode(code(f[1])), f[2],
            PatternType.fromCode(code(f[3])), f[4], f[5], AclOperation.fromCode(code(f[6])),
            AclPermissionType.fromCode(code(f[7]))));
        default -> {
          if (!loaded) {
            authorizer.loadSnapshot(acls);
            authorizer.completeInitialLoad();
            loaded = true;
          }
          Asker asker = asker(f[1], f[2]);
          AclOperation operation = AclOperation.fromCode(code(f[3]));
          ResourceType type = ResourceType.fromCode(code(f[4]));
          AuthorizationResult result = f[0].equals("any")
              ? authorizer.authorizeByResourceType(asker, operation, type)
              : authorizer.authorize(asker, List.of(new Action(operation,
                  new ResourcePattern(type, f[5], PatternType.LITERAL), 1, true, true))).get(0);
          line += result == AuthorizationResult.ALLOWED ? "\t1" : "\t0";
        }
      }
      out.print(line + "\n");
    }
    out.flush();
  }
}
