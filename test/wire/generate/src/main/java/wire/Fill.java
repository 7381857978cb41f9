package wire;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.Uuid;

/** Builds the JSON form of a message by walking its schema; every value is determined by its place. */
final class Fill {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private final Map<String, JsonNode> structs = new HashMap<>();
  private final JsonNode schema;
  private final int version;
  private final String variant;
  private int count = 0;

  Fill(JsonNode schema, int version, String variant) {
    this.schema = schema;
    this.version = version;
    this.variant = variant;
    for (JsonNode common : schema.path("commonStructs")) structs.put(common.get("name").asText(), common.get("fields"));
  }

  ObjectNode message() {
    return struct(schema.get("fields"));
  }

  private ObjectNode struct(JsonNode fields) {
    ObjectNode node = JSON.objectNode();
    for (JsonNode field : fields) {
      // A tagged field may say in which versions it is tagged, and nothing more.
      String versions = field.path("versions").asText(field.path("taggedVersions").asText());
      if (!Versions.contains(versions, version)) continue;
      boolean tagged = field.has("tag");
      if (tagged && !variant.equals("full") && !variant.equals("null")) continue;
      String name = field.get("name").asText();
      String key = Character.toLowerCase(name.charAt(0)) + name.substring(1);
      boolean nullable = Versions.contains(field.path("nullableVersions").asText("none"), version);
      if (nullable && variant.equals("null")) node.putNull(key);
      else node.set(key, value(field.get("type").asText(), field));
    }
    return node;
  }

  private JsonNode value(String type, JsonNode field) {
    boolean plain = !variant.equals("full") && !variant.equals("null");
    if (type.startsWith("[]")) {
      ArrayNode array = JSON.arrayNode();
      if (!plain) for (int i = 0; i < 2; i++) array.add(value(type.substring(2), field));
      return array;
    }
    int n = ++count;
    switch (type) {
      case "bool": return JSON.booleanNode(!plain && !field.path("default").asText("false").equals("true"));
      case "int8": return JSON.numberNode(plain ? 0 : n % 2 == 0 ? n % 100 + 2 : -(n % 100) - 2);
      case "int16": return JSON.numberNode(plain ? 0 : n % 2 == 0 ? 0x1200 + n : -0x1200 - n);
      case "uint16": return JSON.numberNode(plain ? 0 : 0xf000 + n);
      case "int32": return JSON.numberNode(plain ? 0 : n % 2 == 0 ? 0x12345600 + n : -0x12345600 - n);
      case "uint32": return JSON.numberNode(plain ? 0L : 0xf2345600L + n);
      case "int64": return JSON.numberNode(plain ? 0L : n % 2 == 0 ? 0x1234567890ab00L + n : -0x1234567890ab00L - n);
      case "float64": return JSON.numberNode(plain ? 0.0 : n + 0.25);
      case "string": return JSON.textNode(plain ? "" : text(n));
      case "uuid": return JSON.textNode(plain ? Uuid.ZERO_UUID.toString() : uuid(n).toString());
      case "bytes": case "records": return JSON.textNode(plain ? "" : Base64.getEncoder().encodeToString(text(n).getBytes(StandardCharsets.UTF_8)));
      default: return struct(field.has("fields") ? field.get("fields") : structs.get(type));
    }
  }

  /** Every third is not ASCII, every fifth longer than one length byte of a compact string can say. */
  private static String text(int n) {
    String text = n % 3 == 0 ? "größe-€-😀-" + n : "text-" + n;
    return n % 5 == 0 ? text + "-long".repeat(30) : text;
  }

  private static Uuid uuid(int n) {
    return new Uuid(0xfedcba9876543210L + n, 0x8123456789abcdefL - n);
  }
}
