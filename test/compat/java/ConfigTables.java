// Prints Kafka's own config tables, one key a line: table, name, type, default and update mode, with tabs between.
// `null` stands for no default; the internal keys, which no client is told of, are left out.
import java.util.Collection;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;
import org.apache.kafka.storage.internals.log.LogConfig;

public class ConfigTables {
    private static final Map<String, String> MODES = DynamicBrokerConfig.dynamicConfigUpdateModes();

    private static void print(String table, Collection<ConfigDef.ConfigKey> keys) {
        for (ConfigDef.ConfigKey key : keys) {
            if (key.internalConfig) continue;
            Object standard = key.hasDefault() ? key.defaultValue : null;
            String mode = table.equals("broker") ? MODES.getOrDefault(key.name, "read-only") : "";
            String text = ConfigDef.convertToString(standard, key.type);
            System.out.println(String.join("\t", table, key.name, key.type.name(), String.valueOf(text), mode));
        }
    }

    public static void main(String[] args) {
        print("topic", LogConfig.configKeys().values());
        print("broker", AbstractKafkaConfig.CONFIG_DEF.configKeys().values());
        print("group", GroupConfig.CONFIG_DEF.configKeys().values());
        print("client-metrics", ClientMetricsConfigs.configDef().configKeys().values());
    }
}
