// Ports, property files and environments of brokers in processes of their own.
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** `count` ports of the loopback that were free just now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.on('error', reject)
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            if (address !== null && typeof address === 'object') resolve(address.port)
            else reject(new Error('a listener without a port'))
          })
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

export function writeProperties(file: string, config: Readonly<Record<string, string>>): void {
  const lines = Object.entries(config).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(file, lines.join(''))
}

/** Our environment without what would set a broker's configs or what it logs, and with these variables. */
export function cleanEnvironment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('KAFKA_') && name !== 'LOG_LEVEL',
  )
  return { ...Object.fromEntries(own), ...more }
}
