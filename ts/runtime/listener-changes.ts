/**
 * Listeners that come and go while the broker runs, as a change of its dynamic configs: new ones are opened before the
 * change is recorded, so that an address that cannot be had refuses the change; old ones are closed when the answer
 * is on its way. What a change means is the controller's to say.
 */
import type { BrokerConfig } from '../config/broker-config.js'
import type { Listener } from '../config/listeners.js'
import { Errors } from '../protocol/index.js'
import type { AlterConfigsRequest, AlterConfigsResponse, AlteredResource } from '../state/configs.js'
import { decideAlterConfigs } from '../state/configs.js'
import { CONFIG_BROKER, configsOf, type MetadataImage } from '../state/image.js'
import { controllerPolicy } from './controller-policy.js'
import type { ConfigOf } from './dynamic-config.js'
import type { Listeners } from './listeners.js'

export interface ListenerChangesSetup {
  readonly nodeId: number
  readonly configOf: ConfigOf
  readonly listeners: Listeners
  image(): MetadataImage
  /** The controller's way. */
  submit(body: AlterConfigsRequest, answer: (response: AlterConfigsResponse) => void): void
  /** Tells the cluster where this broker listens now, if that is new. */
  register(done: () => void): void
}

type Answer = AlterConfigsResponse['responses'][number]

export class ListenerChanges {
  /** Changes that are not answered yet: what they opened is not in force. */
  private underWay = 0

  constructor(private readonly setup: ListenerChangesSetup) {}

  /** The metadata has changed: whoever did it. */
  onImage(config: BrokerConfig): void {
    this.setup.listeners.follow(config.listeners)
    this.settle()
  }

  alterConfigs(body: AlterConfigsRequest, answer: (response: AlterConfigsResponse) => void): void {
    const index = body.resources.findIndex((resource) => this.isOwn(resource))
    const resource = body.resources[index]
    const wanted = resource === undefined || body.validateOnly ? null : this.listenersAfter(resource, body)
    if (resource === undefined || wanted === null) {
      this.setup.submit(body, answer)
      return
    }
    this.underWay++
    this.setup.listeners.open(wanted, (problem) => {
      const done = (response: AlterConfigsResponse): void => {
        this.setup.register(() => {
          this.underWay--
          answer(response)
          this.settle()
        })
      }
      if (problem === null) {
        this.setup.submit(body, done)
        return
      }
      const { resourceType, resourceName } = resource
      const refused = { errorCode: Errors.INVALID_REQUEST, errorMessage: problem, resourceType, resourceName }
      this.submitOthers(body, index, refused, done)
    })
  }

  private submitOthers(
    body: AlterConfigsRequest,
    index: number,
    refused: Answer,
    done: (response: AlterConfigsResponse) => void,
  ): void {
    const resources = body.resources.filter((_, at) => at !== index)
    if (resources.length === 0) {
      done({ responses: [refused] })
      return
    }
    this.setup.submit({ ...body, resources }, ({ responses }) => {
      done({ responses: [...responses.slice(0, index), refused, ...responses.slice(index)] })
    })
  }

  private isOwn({ resourceType, resourceName }: AlteredResource): boolean {
    return resourceType === CONFIG_BROKER && resourceName === String(this.setup.nodeId)
  }

  /** Null for what changes no listener, or what the controller will refuse anyway. */
  private listenersAfter(
    resource: AlteredResource,
    { replacesAll }: AlterConfigsRequest,
  ): readonly Listener[] | null {
    const image = this.setup.image()
    const config = this.setup.configOf(image)
    const request = { resources: [resource], replacesAll, validateOnly: false }
    const { records, response } = decideAlterConfigs(image, request, controllerPolicy(config))
    if (response.responses[0]?.errorCode !== Errors.NONE) return null
    const own = new Map(configsOf(image, CONFIG_BROKER, String(this.setup.nodeId)))
    for (const { message } of records) {
      if (!('name' in message && 'value' in message)) continue
      const { name, value } = message
      if (value === null) own.delete(name)
      else own.set(name, value)
    }
    const { listeners } = config.withDynamic({ ...config.dynamic, own })
    return JSON.stringify(listeners) === JSON.stringify(config.listeners) ? null : listeners
  }

  private settle(): void {
    if (this.underWay === 0) this.setup.listeners.closeOthers()
  }
}
