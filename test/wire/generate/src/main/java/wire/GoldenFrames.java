package wire;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/** Writes frames of Kafka's own classes as lines of JSON; see README.md. */
public final class GoldenFrames {
  private static final ObjectMapper JSON = new ObjectMapper().configure(JsonParser.Feature.ALLOW_COMMENTS, true);

  /** Where a kind of message has its schema and classes, and how its bytes are framed. */
  private enum Kind {
    MESSAGE("common/message/", "org.apache.kafka.common.message.", "Data"),
    GROUP_KEY("common/message/", "org.apache.kafka.coordinator.group.generated.", ""),
    GROUP_VALUE("common/message/", "org.apache.kafka.coordinator.group.generated.", ""),
    METADATA("common/metadata/", "org.apache.kafka.common.metadata.", "");

    final String schemas;
    final String classes;
    final String suffix;

    Kind(String schemas, String classes, String suffix) {
      this.schemas = schemas;
      this.classes = classes;
      this.suffix = suffix;
    }
  }

  private static final String[] APIS = {
    "ApiVersions", "Metadata", "FindCoordinator", "JoinGroup", "SyncGroup", "Heartbeat", "LeaveGroup", "OffsetCommit",
    "OffsetFetch", "CreateTopics", "DeleteTopics", "DescribeCluster", "DescribeConfigs", "InitProducerId", "Produce",
    "Fetch", "ListOffsets",
  };
  private static final String[] METADATA_RECORDS = {
    "RegisterBrokerRecord", "TopicRecord", "PartitionRecord", "ConfigRecord", "PartitionChangeRecord",
    "RemoveTopicRecord", "FeatureLevelRecord", "ProducerIdsRecord", "BrokerRegistrationChangeRecord", "NoOpRecord",
  };
  /** What 3.9 has below the minimum of 4.x and we serve. */
  private static final String[][] OLD = {
    {"OffsetCommit", "0", "1"}, {"OffsetFetch", "0", "0"}, {"CreateTopics", "0", "1"}, {"DeleteTopics", "0", "0"},
    {"DescribeConfigs", "0", "0"}, {"ListOffsets", "0", "0"},
  };

  private final List<String> lines = new ArrayList<>();

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[1]);
    if (args[0].equals("old")) {
      GoldenFrames frames = new GoldenFrames();
      for (String[] old : OLD) {
        for (String side : new String[] {"Request", "Response"}) {
          frames.versions(Kind.MESSAGE, old[0] + side, Integer.parseInt(old[1]), Integer.parseInt(old[2]));
        }
      }
      frames.save(folder.resolve("apis-old.jsonl"));
      return;
    }
    GoldenFrames apis = new GoldenFrames();
    for (String api : APIS) {
      apis.stable(Kind.MESSAGE, api + "Request");
      apis.stable(Kind.MESSAGE, api + "Response");
    }
    apis.save(folder.resolve("apis.jsonl"));
    GoldenFrames headers = new GoldenFrames();
    headers.stable(Kind.MESSAGE, "RequestHeader");
    headers.stable(Kind.MESSAGE, "ResponseHeader");
    headers.save(folder.resolve("headers.jsonl"));
    GoldenFrames group = new GoldenFrames();
    for (String record : new String[] {"LegacyOffsetCommit", "OffsetCommit", "GroupMetadata"}) {
      group.stable(Kind.GROUP_KEY, record + "Key");
      group.stable(Kind.GROUP_VALUE, record + "Value");
    }
    group.save(folder.resolve("group-records.jsonl"));
    GoldenFrames metadata = new GoldenFrames();
    for (String record : METADATA_RECORDS) metadata.stable(Kind.METADATA, record);
    metadata.save(folder.resolve("metadata-records.jsonl"));
  }

  /** Every version that the schema calls valid and stable. */
  private void stable(Kind kind, String name) throws Exception {
    JsonNode schema = schema(kind, name);
    String valid = schema.get("validVersions").asText();
    boolean unstable = schema.path("latestVersionUnstable").asBoolean(false)
        || schema(kind, name.replace("Response", "Request")).path("latestVersionUnstable").asBoolean(false);
    versions(kind, name, Versions.first(valid), Versions.last(valid) - (unstable ? 1 : 0));
  }

  private void versions(Kind kind, String name, int first, int last) throws Exception {
    JsonNode schema = schema(kind, name);
    for (int version = first; version <= last; version++) {
      boolean flexible = Versions.contains(schema.get("flexibleVersions").asText(), version);
      String previous = null;
      for (String variant : new String[] {"full", "null", "plain", "tags"}) {
        if (variant.equals("tags") && !flexible) continue;
        String hex = frame(kind, name, schema, (short) version, variant);
        if (!hex.equals(previous)) lines.add(line(kind, name, schema, (short) version, variant, hex));
        previous = hex;
      }
    }
  }

  private ApiMessage message(Kind kind, String name, JsonNode schema, short version, String variant) throws Exception {
    Class<?> converter = Class.forName(kind.classes + name + kind.suffix + "JsonConverter");
    ObjectNode filled = new Fill(schema, version, variant).message();
    ApiMessage message = (ApiMessage) converter.getMethod("read", JsonNode.class, short.class).invoke(null, filled, version);
    if (variant.equals("tags")) {
      message.unknownTaggedFields().add(new RawTaggedField(77, new byte[] {1, 2, 3}));
      message.unknownTaggedFields().add(new RawTaggedField(30000, new byte[200]));
    }
    return message;
  }

  private String frame(Kind kind, String name, JsonNode schema, short version, String variant) throws Exception {
    ApiMessage message = message(kind, name, schema, version, variant);
    return HexFormat.of().formatHex(bytes(kind, message, version));
  }

  private static byte[] bytes(Kind kind, ApiMessage message, short version) {
    if (kind == Kind.GROUP_KEY) return MessageUtil.toVersionPrefixedBytes(message.apiKey(), message);
    if (kind == Kind.GROUP_VALUE) return MessageUtil.toVersionPrefixedBytes(version, message);
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer;
    if (kind == Kind.METADATA) {
      ApiMessageAndVersion record = new ApiMessageAndVersion(message, version);
      buffer = ByteBuffer.allocate(MetadataRecordSerde.INSTANCE.recordSize(record, cache));
      MetadataRecordSerde.INSTANCE.write(record, cache, new ByteBufferAccessor(buffer));
    } else {
      buffer = ByteBuffer.allocate(message.size(cache, version));
      message.write(new ByteBufferAccessor(buffer), cache, version);
    }
    return buffer.array();
  }

  private String line(Kind kind, String name, JsonNode schema, short version, String variant, String hex) throws Exception {
    ApiMessage message = message(kind, name, schema, version, variant);
    Class<?> converter = Class.forName(kind.classes + name + kind.suffix + "JsonConverter");
    JsonNode json = null;
    for (var method : converter.getMethods()) {
      if (method.getName().equals("write") && method.getParameterCount() == 2) {
        json = (JsonNode) method.invoke(null, message, version);
      }
    }
    ObjectNode line = JSON.createObjectNode();
    line.put("name", name);
    line.put("version", version);
    line.put("variant", variant);
    line.put("hex", hex);
    line.set("json", json);
    return JSON.writeValueAsString(line);
  }

  private static JsonNode schema(Kind kind, String name) throws Exception {
    try (InputStream stream = GoldenFrames.class.getClassLoader().getResourceAsStream(kind.schemas + name + ".json")) {
      return JSON.readTree(stream);
    }
  }

  private void save(Path file) throws Exception {
    Files.createDirectories(file.getParent());
    Files.write(file, lines);
    System.out.println(file.getFileName() + ": " + lines.size() + " frames");
  }
}
