// Prints Kafka's own config tables, one key a line: table, name, type, default and update mode, with tabs between.
// Behind them: the probes that the key accepts. `null` stands for no default; the internal keys, which no client is told of, are left out.
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;
import org.apache.kafka.storage.internals.log.LogConfig;

public class ConfigTables {
    private static final Map<String, String> MODES = DynamicBrokerConfig.dynamicConfigUpdateModes();

    private static List<String> probes;

    private static void print(String table, Collection<ConfigDef.ConfigKey> keys) {
        for (ConfigDef.ConfigKey key : keys) {
            if (key.internalConfig) continue;
            Object standard = key.hasDefault() ? key.defaultValue : null;
            String mode = table.equals("broker") ? MODES.getOrDefault(key.name, "read-only") : "";
            String text = ConfigDef.convertToString(standard, key.type);
            String accepted = probes.stream().filter(probe -> accepts(key, probe)).collect(Collectors.joining(","));
            System.out.println(
                String.join("\t", table, key.name, key.type.name(), String.valueOf(text), mode, accepted));
        }
    }

    private static boolean accepts(ConfigDef.ConfigKey key, String probe) {
        try {
            Object value = ConfigDef.parseType(key.name, probe, key.type);
            if (key.validator != null) key.validator.ensureValid(key.name, value);
            return true;
        } catch (ConfigException e) {
            return false;
        }
    }

    /** The arguments are the probes: texts that every key is asked about. */
    public static void main(String[] args) {
        probes = List.of(args);
        print("topic", LogConfig.configKeys().values());
        print("broker", AbstractKafkaConfig.CONFIG_DEF.configKeys().values());
        print("group", GroupConfig.CONFIG_DEF.configKeys().values());
        print("client-metrics", ClientMetricsConfigs.configDef().configKeys().values());
    }
}
