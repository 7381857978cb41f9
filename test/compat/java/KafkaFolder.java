// Fills the log folder of an Apache Kafka of its own, and shows the records of a broker, one a line:
//   KafkaFolder fill <folder>                 starts Kafka on the folder twice, produces, stops it, shows what it held
//   KafkaFolder create|show <bootstrap>       the same topics created, or shown, on any broker
import java.io.PrintStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Time;

public class KafkaFolder {
    /** Topics and their configs. */
    static final Map<String, Map<String, String>> TOPICS = new TreeMap<>(Map.of(
        "codecs", Map.of("segment.bytes", "1048576"),
        "stamped", Map.of("message.timestamp.type", "LogAppendTime"),
        "decided", Map.of(),
        "compacted", Map.of("cleanup.policy", "compact", "segment.ms", "50", "min.cleanable.dirty.ratio", "0.01",
            "min.compaction.lag.ms", "0", "delete.retention.ms", "0")));

    static final long NOON = 1_700_000_000_000L;
    static final PrintStream OUT = System.out;

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "fill" -> fill(Path.of(args[1]));
            case "create" -> create(args[1]);
            case "show" -> show(args[1]);
            default -> throw new IllegalArgumentException(args[0]);
        }
        OUT.flush();
        System.exit(0);
    }

    static void fill(Path folder) throws Exception {
        Properties properties = new Properties();
        int port = freePort();
        int controller = freePort();
        properties.put("process.roles", "broker,controller");
        properties.put("node.id", "0");
        properties.put("controller.quorum.voters", "0@127.0.0.1:" + controller);
        properties.put("controller.listener.names", "CONTROLLER");
        properties.put("listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controller);
        properties.put("log.dirs", folder.toString());
        properties.put("offsets.topic.replication.factor", "1");
        properties.put("transaction.state.log.replication.factor", "1");
        properties.put("transaction.state.log.min.isr", "1");
        properties.put("transaction.state.log.num.partitions", "1");
        properties.put("log.cleaner.backoff.ms", "20");
        properties.put("log.retention.check.interval.ms", "50");
        Path file = folder.resolveSibling("server.properties");
        try (var out = Files.newOutputStream(file)) {
            properties.store(out, null);
        }
        String[] format = {"format", "-t", "MillraceKafkaFolder000", "-c", file.toString()};
        kafka.tools.StorageTool.execute(format, new PrintStream(PrintStream.nullOutputStream()));
        String bootstrap = "127.0.0.1:" + port;
        // Every start is a leader epoch of its own.
        for (int start = 0; start < 2; start++) {
            KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
            server.startup();
            if (start == 0) create(bootstrap);
            produce(bootstrap, start);
            if (start == 1) {
                compact(bootstrap);
                show(bootstrap);
            }
            server.shutdown();
            server.awaitShutdown();
        }
    }

    static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    static void create(String bootstrap) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            List<NewTopic> topics = new ArrayList<>();
            TOPICS.forEach((name, configs) -> topics.add(new NewTopic(name, 1, (short) 1).configs(configs)));
            admin.createTopics(topics).all().get();
        }
    }

    static KafkaProducer<byte[], byte[]> producer(String bootstrap, Map<String, String> more) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("linger.ms", "5");
        properties.putAll(more);
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static byte[] bytes(String text) {
        return text == null ? null : text.getBytes();
    }

    static ProducerRecord<byte[], byte[]> record(String topic, long timestamp, String key, String value) {
        return new ProducerRecord<>(topic, 0, timestamp, bytes(key), bytes(value));
    }

    static void produce(String bootstrap, int start) throws Exception {
        String filler = "0123456789abcdef".repeat(240);
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            for (boolean idempotent : new boolean[] {true, false}) {
                Map<String, String> more =
                    Map.of("compression.type", codec, "enable.idempotence", String.valueOf(idempotent));
                try (var producer = producer(bootstrap, more)) {
                    for (int i = 0; i < 150; i++) {
                        String key = i % 7 == 0 ? null : "key-" + i;
                        String value = i % 11 == 0 ? null : start + codec + i + filler.substring(i % 60);
                        var record = record("codecs", NOON + 1000 - i % 13, key, value);
                        if (i % 5 == 0) record.headers().add(new RecordHeader("h" + i, i % 10 == 0 ? null : bytes("v")));
                        producer.send(record);
                        if (i % 40 == 0) producer.flush();
                    }
                    for (int i = 0; i < 20; i++) producer.send(record("stamped", NOON, "k", codec + i));
                }
            }
        }
        for (String id : List.of("one", "two")) {
            try (var producer = producer(bootstrap, Map.of("transactional.id", id))) {
                producer.initTransactions();
                for (String end : List.of("commit", "abort", "commit", "abort")) {
                    producer.beginTransaction();
                    for (int i = 0; i < 5; i++) producer.send(record("decided", NOON + i, id, end + start + i));
                    producer.flush();
                    if (end.equals("commit")) producer.commitTransaction();
                    else producer.abortTransaction();
                }
            }
        }
    }

    /** Overwrites keys until the cleaner has left gaps. */
    static void compact(String bootstrap) throws Exception {
        try (var producer = producer(bootstrap, Map.of())) {
            for (int round = 0; ; round++) {
                for (int i = 0; i < 20; i++) {
                    String value = i % 6 == 5 ? null : "v" + round + "-" + i;
                    producer.send(record("compacted", System.currentTimeMillis(), "key-" + i, value)).get();
                }
                List<String> lines = records(bootstrap, "compacted", "read_uncommitted");
                if (round > 3 && lines.size() < round * 20 / 2) return;
                Thread.sleep(20);
            }
        }
    }

    static void show(String bootstrap) throws Exception {
        for (String topic : TOPICS.keySet()) {
            for (String isolation : List.of("read_uncommitted", "read_committed")) {
                for (String line : records(bootstrap, topic, isolation)) {
                    OUT.println(topic + " " + isolation + " " + line);
                }
            }
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            for (String topic : TOPICS.keySet()) {
                TopicPartition partition = new TopicPartition(topic, 0);
                for (var spec : Map.of("earliest", OffsetSpec.earliest(), "max", OffsetSpec.maxTimestamp(),
                        "noon", OffsetSpec.forTimestamp(NOON + 995)).entrySet().stream().sorted(Map.Entry.comparingByKey())
                        .toList()) {
                    var found = admin.listOffsets(Map.of(partition, spec.getValue())).partitionResult(partition).get();
                    OUT.println(topic + " " + spec.getKey() + " " + found.offset() + " " + found.timestamp());
                }
            }
        }
    }

    static List<String> records(String bootstrap, String topic, String isolation) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("isolation.level", isolation);
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "none");
        var deserializer = new ByteArrayDeserializer();
        List<String> lines = new ArrayList<>();
        try (var consumer = new KafkaConsumer<byte[], byte[]>(properties, deserializer, deserializer)) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(java.time.Duration.ofMillis(200))) {
                    lines.add(line(record));
                }
            }
            lines.add("end " + end);
        }
        return lines;
    }

    static String line(ConsumerRecord<byte[], byte[]> record) {
        StringBuilder headers = new StringBuilder();
        record.headers().forEach(header -> headers.append(header.key()).append('=').append(text(header.value())).append(','));
        return record.offset() + " " + record.timestamp() + " " + record.timestampType() + " "
            + record.leaderEpoch().orElse(-1) + " " + text(record.key()) + " " + text(record.value()) + " [" + headers + "]";
    }

    static String text(byte[] bytes) {
        return bytes == null ? "null" : "'" + new String(bytes) + "'";
    }
}
