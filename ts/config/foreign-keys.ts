/**
 * Names of broker keys that Kafka knows and this broker does not: its internal ones, those of older versions and the
 * families that plugins and listeners name. Setting one is a warning where a misspelt key is an error.
 */
const names = `
auto.include.jmx.reporter broker.id.generation.enable compression.codec control.plane.listener.name
controlled.shutdown.max.retries controlled.shutdown.retry.backoff.ms
controller.performance.always.log.threshold.ms controller.performance.sample.period.ms
delegation.token.master.key eligible.leader.replicas.enable group.consumer.regex.refresh.interval.ms
group.coordinator.new.enable group.share.enable group.share.initialize.retry.interval.ms
group.share.persister.class.name inter.broker.protocol.version internal.metadata.delete.delay.millis
internal.metadata.log.segment.bytes internal.metadata.max.batch.size.in.bytes internal.segment.bytes
leader.imbalance.per.broker.percentage log.initial.task.delay.ms log.message.downconversion.enable
log.message.format.version log.message.timestamp.difference.max.ms
metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy offsets.commit.required.acks
password.encoder.cipher.algorithm password.encoder.iterations password.encoder.key.length
password.encoder.keyfactory.algorithm password.encoder.old.secret password.encoder.secret
remote.log.index.file.cache.ttl.ms remote.log.manager.task.retry.backoff.max.ms
remote.log.manager.task.retry.backoff.ms remote.log.manager.task.retry.jitter reserved.broker.max.id
server.max.startup.time.ms share.coordinator.cold.partition.snapshot.interval.ms
share.coordinator.state.topic.prune.interval.ms unclean.leader.election.interval.ms
unstable.api.versions.enable unstable.feature.versions.enable zookeeper.connect
zookeeper.connection.timeout.ms zookeeper.session.timeout.ms
`
const exact = new Set(names.trim().split(/\s+/))
const families = ['listener.name.', 'rsm.config.', 'rlmm.config.', 'zookeeper.']

/** Accepted while the broker runs and never in a file: what brokers throttle their replication to. */
const dynamic = new Set([
  'follower.replication.throttled.rate',
  'leader.replication.throttled.rate',
  'replica.alter.log.dirs.io.max.bytes.per.second',
])

/** Accepted as a dynamic config, without effect here. */
export function isDynamicForeignKey(name: string): boolean {
  return dynamic.has(name) || name.startsWith('listener.name.')
}

export function isForeignKey(name: string): boolean {
  return exact.has(name) || dynamic.has(name) || families.some((family) => name.startsWith(family))
}
