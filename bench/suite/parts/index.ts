// All parts in the order in which they run: those on shared brokers first, while these are alive.
import type { Part } from '../contract.js'
import catchUp from './catch-up.js'
import compressed from './compressed.js'
import connections from './connections.js'
import controlPlane from './control-plane.js'
import crowd from './crowd.js'
import disturbed from './disturbed.js'
import durable from './durable.js'
import fetch from './fetch.js'
import latency from './latency.js'
import memory from './memory.js'
import outsideClient from './outside-client.js'
import partitions from './partitions.js'
import produce from './produce.js'
import recovery from './recovery.js'
import requests from './requests.js'
import smallBatches from './small-batches.js'
import start from './start.js'

export const parts: readonly Part[] = [
  produce,
  fetch,
  smallBatches,
  compressed,
  outsideClient,
  requests,
  latency,
  durable,
  memory,
  start,
  partitions,
  connections,
  crowd,
  disturbed,
  controlPlane,
  catchUp,
  recovery,
]
