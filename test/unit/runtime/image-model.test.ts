/** How changes of the metadata image look to the data plane. */
import { describe, expect, it } from 'vitest'
import { BrokerConfig } from '../../../ts/config/broker-config.js'
import { dynamicConfig } from '../../../ts/runtime/dynamic-config.js'
import { imageModel } from '../../../ts/runtime/image-model.js'
import { emptyImage } from '../../../ts/state/image.js'
import type { MetadataRecord } from '../../../ts/state/metadata-records.js'
import { uuid } from '../state/metadata-fixture.js'

describe('what partitions act on of the broker’s own configs', () => {
  it('reaches every topic when it is set while the broker runs', () => {
    const started = new BrokerConfig()
    const model = imageModel(started, dynamicConfig(started))
    const topic: MetadataRecord = {
      name: 'TopicRecord',
      version: 0,
      message: { name: 't', topicId: uuid(1) },
    }
    const set = (name: string, value: string): MetadataRecord => ({
      name: 'ConfigRecord',
      version: 0,
      message: { resourceType: 4, resourceName: '', name, value },
    })
    const created = model.fold(emptyImage(), 1, 0, [topic])
    expect(model.toApply(created.image, created.delta).topics[0]?.configs).toEqual([])
    const changes = [set('producer.id.expiration.ms', '1000'), set('log.retention.ms', '7')]
    const changed = model.fold(created.image, 2, 0, changes)
    expect(model.toApply(changed.image, changed.delta).topics[0]?.configs).toEqual([
      { key: 'retention.ms', value: '7' },
      { key: 'producer.id.expiration.ms', value: '1000' },
    ])
  })
})
