// The brokers and controllers of the metadata image while records change them: registration, fencing, departure.
// Owns what those records mean; which of them to write is decided in brokers.ts.
import type { BrokerImage, ControllerImage, ListenerImage, MetadataImage } from './image.js'
import type { MetadataMessage, MetadataRecord } from './metadata-records.js'

export class BrokersFold {
  /** Brokers that are new, different or gone. */
  readonly touched = new Set<number>()
  #brokers: MetadataImage['brokers']
  #controllers: MetadataImage['controllers']

  constructor({ brokers, controllers }: MetadataImage) {
    this.#brokers = brokers
    this.#controllers = controllers
  }

  get brokers(): MetadataImage['brokers'] {
    return this.#brokers
  }

  get controllers(): MetadataImage['controllers'] {
    return this.#controllers
  }

  /** Records of other kinds change nothing here. */
  apply({ name, message }: MetadataRecord): void {
    switch (name) {
      case 'RegisterBrokerRecord':
        this.#put(registered(message))
        break
      case 'BrokerRegistrationChangeRecord':
        this.#change(message)
        break
      case 'FenceBrokerRecord':
        this.#put({ ...this.#at(name, message.id, message.epoch), fenced: true })
        break
      case 'UnfenceBrokerRecord':
        this.#put({ ...this.#at(name, message.id, message.epoch), fenced: false })
        break
      case 'UnregisterBrokerRecord': {
        const { brokerId } = this.#at(name, message.brokerId, message.brokerEpoch)
        this.#brokers = without(this.#brokers, brokerId)
        this.touched.add(brokerId)
        break
      }
      case 'RegisterControllerRecord':
        this.#controllers = new Map<number, ControllerImage>(this.#controllers).set(
          message.controllerId,
          message,
        )
        break
      case 'UnregisterControllerRecord':
        this.#controllers = without(this.#controllers, message.controllerId)
        break
    }
  }

  #change(record: MetadataMessage<'BrokerRegistrationChangeRecord'>): void {
    const broker = this.#at('BrokerRegistrationChangeRecord', record.brokerId, record.brokerEpoch)
    this.#put({
      ...broker,
      fenced: record.fenced === 0 ? broker.fenced : record.fenced === 1,
      inControlledShutdown: broker.inControlledShutdown || record.inControlledShutdown !== 0,
      logDirs: record.logDirs.length === 0 ? broker.logDirs : record.logDirs,
      cordonedLogDirs: record.cordonedLogDirs ?? broker.cordonedLogDirs,
    })
  }

  #at(record: string, brokerId: number, epoch: number): BrokerImage {
    const broker = this.#brokers.get(brokerId)
    if (broker === undefined || broker.epoch !== epoch) {
      throw new Error(`${record} for broker ${brokerId}, not registered at that epoch`)
    }
    return broker
  }

  #put(broker: BrokerImage): void {
    this.#brokers = new Map(this.#brokers).set(broker.brokerId, broker)
    this.touched.add(broker.brokerId)
  }
}

function registered(record: MetadataMessage<'RegisterBrokerRecord'>): BrokerImage {
  const listeners = new Map<string, ListenerImage>(
    record.endPoints.map(({ name, host, port, securityProtocol }) => [
      name,
      { host, port, securityProtocol },
    ]),
  )
  const features = new Map(
    record.features.map(({ name, minSupportedVersion, maxSupportedVersion }) => [
      name,
      { min: minSupportedVersion, max: maxSupportedVersion },
    ]),
  )
  return {
    brokerId: record.brokerId,
    epoch: record.brokerEpoch,
    incarnationId: record.incarnationId,
    listeners,
    rack: record.rack,
    fenced: record.fenced,
    inControlledShutdown: record.inControlledShutdown,
    logDirs: record.logDirs,
    cordonedLogDirs: record.cordonedLogDirs,
    features,
  }
}

function without<V>(map: ReadonlyMap<number, V>, key: number): ReadonlyMap<number, V> {
  const copy = new Map(map)
  copy.delete(key)
  return copy
}
