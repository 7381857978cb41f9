// Folds metadata records into an image and tells what changed: the one meaning of every record.
// Owns the composition and what is left of the parts that topics-fold, brokers-fold and image-security own.
import { BrokersFold } from './brokers-fold.js'
import type { MetadataImage } from './image.js'
import { type SecurityDelta, SecurityFold } from './image-security.js'
import type { MetadataRecord } from './metadata-records.js'
import { type TopicsDelta, TopicsFold } from './topics-fold.js'

export type { TopicDelta } from './topics-fold.js'

export interface MetadataDelta extends TopicsDelta, SecurityDelta {
  /** Brokers that are new, different or gone. */
  readonly brokers: ReadonlySet<number>
  readonly featuresChanged: boolean
  readonly producerIdsChanged: boolean
}

/**
 * The image after these records, and the difference.
 * @param offset offset of the last of the records
 * @param epoch leader epoch (raft term) of that record
 */
export function applyRecords(
  image: MetadataImage,
  offset: number,
  epoch: number,
  records: Iterable<MetadataRecord>,
): { image: MetadataImage; delta: MetadataDelta } {
  const fold = new ImageFold(image)
  for (const record of records) fold.apply(record)
  return fold.finish(offset, epoch)
}

class ImageFold {
  readonly #before: MetadataImage
  readonly #topics: TopicsFold
  readonly #brokers: BrokersFold
  readonly #security: SecurityFold
  #features: MetadataImage['features']
  #nextProducerId: number
  #transaction: MetadataRecord[] | null

  constructor(image: MetadataImage) {
    this.#before = image
    this.#topics = new TopicsFold(image)
    this.#brokers = new BrokersFold(image)
    this.#security = new SecurityFold(image)
    this.#features = image.features
    this.#nextProducerId = image.nextProducerId
    this.#transaction = image.transaction === null ? null : [...image.transaction]
  }

  /** Within a metadata transaction (KIP-868) records are kept until it ends, and forgotten when it is aborted. */
  apply(record: MetadataRecord): void {
    switch (record.name) {
      case 'BeginTransactionRecord':
        if (this.#transaction !== null) throw new Error('BeginTransactionRecord within a transaction')
        this.#transaction = []
        break
      case 'EndTransactionRecord':
        for (const kept of this.#closed(record.name)) this.#fold(kept)
        break
      case 'AbortTransactionRecord':
        this.#closed(record.name)
        break
      default:
        if (this.#transaction === null) this.#fold(record)
        else this.#transaction.push(record)
    }
  }

  finish(offset: number, epoch: number): { image: MetadataImage; delta: MetadataDelta } {
    const image: MetadataImage = {
      offset,
      epoch,
      ...this.#topics.image(),
      brokers: this.#brokers.brokers,
      controllers: this.#brokers.controllers,
      features: this.#features,
      nextProducerId: this.#nextProducerId,
      transaction: this.#transaction,
      ...this.#security.image(),
    }
    const delta: MetadataDelta = {
      ...this.#topics.delta(),
      ...this.#security.delta(),
      brokers: this.#brokers.touched,
      featuresChanged: this.#before.features !== image.features,
      producerIdsChanged: this.#before.nextProducerId !== image.nextProducerId,
    }
    return { image, delta }
  }

  #closed(name: string): readonly MetadataRecord[] {
    const kept = this.#transaction
    if (kept === null) throw new Error(`${name} without a transaction`)
    this.#transaction = null
    return kept
  }

  #fold(record: MetadataRecord): void {
    this.#topics.apply(record)
    this.#brokers.apply(record)
    this.#security.apply(record)
    if (record.name === 'ProducerIdsRecord') this.#nextProducerId = record.message.nextProducerId
    if (record.name === 'FeatureLevelRecord') {
      const { name, featureLevel } = record.message
      const features = new Map(this.#features)
      if (featureLevel === 0) features.delete(name)
      else features.set(name, featureLevel)
      this.#features = features
    }
  }
}
