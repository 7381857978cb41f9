// All parts in the order in which they run: those on shared brokers first, while these are alive.
import type { Part } from '../contract.js'
import compressed from './compressed.js'
import fetch from './fetch.js'
import memory from './memory.js'
import outsideClient from './outside-client.js'
import produce from './produce.js'
import smallBatches from './small-batches.js'
import start from './start.js'

export const parts: readonly Part[] = [produce, fetch, smallBatches, compressed, outsideClient, memory, start]
