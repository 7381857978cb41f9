/** The broker's configuration as an image makes it: what it was started with, below what was set since. */
import type { BrokerConfig } from '../config/broker-config.js'
import { CONFIG_BROKER, configsOf, type MetadataImage } from '../state/image.js'

export type ConfigOf = (image: MetadataImage) => BrokerConfig

/** Gives the same object until a dynamic broker config changes. */
export function dynamicConfig(started: BrokerConfig): ConfigOf {
  const nodeId = String(started.nodeId)
  let last = started
  return (image) => {
    const own = configsOf(image, CONFIG_BROKER, nodeId)
    const clusterWide = configsOf(image, CONFIG_BROKER, '')
    if (own !== last.dynamic.own || clusterWide !== last.dynamic.clusterWide) {
      last = started.withDynamic({ own, clusterWide })
    }
    return last
  }
}
