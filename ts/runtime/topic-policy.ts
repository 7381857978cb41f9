/** What the controller needs of the broker's configuration to decide about topics. */
import type { BrokerConfig } from '../config/broker-config.js'
import { describeTopic, invalidTopicConfig } from '../config/describe.js'
import { Errors } from '../protocol/index.js'
import type { TopicPolicy } from '../state/topics.js'

export function topicPolicy(config: BrokerConfig): TopicPolicy {
  return {
    defaultNumPartitions: config.get('num.partitions'),
    defaultReplicationFactor: config.get('default.replication.factor'),
    deleteTopicEnable: config.get('delete.topic.enable'),
    validateTopicConfigs(configs) {
      const reason = invalidTopicConfig(configs)
      return reason === null ? null : { errorCode: Errors.INVALID_CONFIG, errorMessage: reason }
    },
    effectiveTopicConfigs: (configs) =>
      describeTopic(config, configs).map(({ name, value, readOnly, source, sensitive }) => ({
        name,
        value,
        readOnly,
        configSource: source,
        isSensitive: sensitive,
      })),
  }
}
