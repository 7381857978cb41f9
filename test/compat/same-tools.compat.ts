// The same commands to Apache Kafka and to this broker: Kafka's tools print the same, line by line. What must differ is
// named in tool-scripts/spoken.ts, what may in tool-scripts/explained.ts with its reason.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { chapters } from './tool-scripts/commands.js'
import { unexplained } from './tool-scripts/explained.js'
import { Sides } from './tool-scripts/sides.js'
import { kafkaJars } from './toolchains.js'

let sides: Sides

beforeAll(async () => {
  kafkaJars()
  sides = await Sides.start()
  await sides.seed()
})

afterAll(() => sides?.stop())

it.each(Object.entries(chapters))('%s', async (name, commands) => {
  const alive = name.endsWith('live member')
  if (alive) await sides.joinGroup()
  for (const command of commands) {
    const run = typeof command === 'string' ? command : command.run
    const said = await sides.run(command)
    const { kafka, millrace } = unexplained(run, said.kafka, said.millrace)
    expect.soft({ run, said: millrace }).toEqual({ run, said: kafka })
  }
  if (alive) await sides.leaveGroup()
})
