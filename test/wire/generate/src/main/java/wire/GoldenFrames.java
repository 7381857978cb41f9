package wire;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.metadata.MetadataRecordType;
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
    GROUP("common/message/", "org.apache.kafka.coordinator.group.generated.", ""),
    TRANSACTION("common/message/", "org.apache.kafka.coordinator.transaction.generated.", ""),
    SHARE_STATE("common/message/", "org.apache.kafka.coordinator.share.generated.", ""),
    METADATA("common/metadata/", "org.apache.kafka.common.metadata.", "");

    final String schemas;
    final String classes;
    final String suffix;

    Kind(String schemas, String classes, String suffix) {
      this.schemas = schemas;
      this.classes = classes;
      this.suffix = suffix;
    }

    /** Its records have a key and a value. */
    boolean coordinator() {
      return this == GROUP || this == TRANSACTION || this == SHARE_STATE;
    }
  }

  private static final String[] GROUP_RECORDS = {
    "LegacyOffsetCommit", "OffsetCommit", "GroupMetadata",
    "ConsumerGroupMetadata", "ConsumerGroupPartitionMetadata", "ConsumerGroupMemberMetadata",
    "ConsumerGroupTargetAssignmentMetadata", "ConsumerGroupTargetAssignmentMember",
    "ConsumerGroupCurrentMemberAssignment", "ConsumerGroupRegularExpression",
    "ShareGroupMemberMetadata", "ShareGroupMetadata", "ShareGroupTargetAssignmentMetadata",
    "ShareGroupTargetAssignmentMember", "ShareGroupCurrentMemberAssignment", "ShareGroupStatePartitionMetadata",
    "StreamsGroupMetadata", "StreamsGroupMemberMetadata", "StreamsGroupTargetAssignmentMetadata",
    "StreamsGroupTargetAssignmentMember", "StreamsGroupCurrentMemberAssignment", "StreamsGroupTopology",
  };
  private static final String[] TRANSACTION_RECORDS = {"TransactionLog"};
  private static final String[] SHARE_STATE_RECORDS = {"ShareSnapshot", "ShareUpdate"};
  /** What 3.9 has below the minimum of 4.x and we serve. */
  private static final String[][] OLD = {
    {"ListOffsets", "0", "0"}, {"OffsetCommit", "0", "1"}, {"OffsetFetch", "0", "0"},
    {"CreateTopics", "0", "1"}, {"DeleteTopics", "0", "0"}, {"OffsetForLeaderEpoch", "0", "1"},
    {"WriteTxnMarkers", "0", "0"}, {"DescribeAcls", "0", "0"}, {"CreateAcls", "0", "0"},
    {"DeleteAcls", "0", "0"}, {"DescribeConfigs", "0", "0"}, {"AlterReplicaLogDirs", "0", "0"},
    {"DescribeLogDirs", "0", "0"}, {"CreateDelegationToken", "0", "0"}, {"RenewDelegationToken", "0", "0"},
    {"ExpireDelegationToken", "0", "0"}, {"DescribeDelegationToken", "0", "0"}, {"AlterPartition", "0", "1"},
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
      frames.save(folder, "apis-old");
      return;
    }
    GoldenFrames apis = new GoldenFrames();
    for (ApiMessageType type : ApiMessageType.values()) {
      if (type.lowestSupportedVersion() > type.highestSupportedVersion(false)) continue;
      apis.stable(Kind.MESSAGE, type.name + "Request");
      apis.stable(Kind.MESSAGE, type.name + "Response");
    }
    apis.save(folder, "apis");
    GoldenFrames headers = new GoldenFrames();
    headers.stable(Kind.MESSAGE, "RequestHeader");
    headers.stable(Kind.MESSAGE, "ResponseHeader");
    headers.save(folder, "headers");
    coordinatorRecords(Kind.GROUP, GROUP_RECORDS).save(folder, "group-records");
    coordinatorRecords(Kind.TRANSACTION, TRANSACTION_RECORDS).save(folder, "transaction-records");
    coordinatorRecords(Kind.SHARE_STATE, SHARE_STATE_RECORDS).save(folder, "share-state-records");
    GoldenFrames metadata = new GoldenFrames();
    for (MetadataRecordType type : MetadataRecordType.values()) {
      metadata.stable(Kind.METADATA, type.newMetadataRecord().getClass().getSimpleName());
    }
    metadata.save(folder, "metadata-records");
  }

  private static GoldenFrames coordinatorRecords(Kind kind, String[] names) throws Exception {
    GoldenFrames frames = new GoldenFrames();
    for (String name : names) {
      frames.stable(kind, name + "Key");
      frames.stable(kind, name + "Value");
    }
    return frames;
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
    if (kind.coordinator()) {
      boolean key = message.getClass().getSimpleName().endsWith("Key");
      return MessageUtil.toVersionPrefixedBytes(key ? message.apiKey() : version, message);
    }
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
    // The one schema whose file is not named after it.
    String file = name.equals("ZkMigrationStateRecord") ? "ZkMigrationRecord" : name;
    try (InputStream stream = GoldenFrames.class.getClassLoader().getResourceAsStream(kind.schemas + file + ".json")) {
      return JSON.readTree(stream);
    }
  }

  private void save(Path folder, String name) throws Exception {
    Files.createDirectories(folder);
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(folder.resolve(name + ".jsonl.gz")))) {
      for (String line : lines) out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }
    System.out.println(name + ": " + lines.size() + " frames");
  }
}
