// Installs what the foreign clients need from their registries, once per run, and knows how to start them.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const build = join(dirname(dirname(here)), '.build', 'compat')

function install(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
}

/** The folder with Kafka's own jars (clients, tools, and their dependencies). */
export function kafkaJars(): string {
  const jars = join(build, 'jars')
  if (!existsSync(join(jars, '.complete'))) {
    install(
      'mvn',
      ['-B', '-q', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`],
      join(here, 'java'),
    )
    mkdirSync(join(jars, '.complete'))
  }
  return jars
}

/** The folder with those jars of the newest stable Kafka that hold schemas. */
export function newestKafkaSchemas(): string {
  const jars = join(build, 'jars-newest')
  if (!existsSync(join(jars, '.complete'))) {
    const pom = ['-f', 'schemas.xml', `-DoutputDirectory=${jars}`, '-DexcludeTransitive']
    install('mvn', ['-B', '-q', 'dependency:copy-dependencies', ...pom], join(here, 'java'))
    mkdirSync(join(jars, '.complete'))
  }
  return jars
}

/** The clients jar of Kafka 3.9: its schemas have the versions that 4.0 dropped. */
export function oldKafkaClients(): string {
  const folder = join(build, 'jars-3.9')
  const jar = join(folder, 'kafka-clients-3.9.1.jar')
  if (!existsSync(jar)) {
    const artifact = '-Dartifact=org.apache.kafka:kafka-clients:3.9.1'
    install('mvn', ['-B', '-q', 'dependency:copy', artifact, `-DoutputDirectory=${folder}`], here)
  }
  return jar
}

/** A Python that has confluent-kafka. */
export function python(): string {
  const venv = join(build, 'venv')
  const interpreter = join(venv, 'bin', 'python')
  if (!existsSync(join(venv, '.complete'))) {
    install('python3', ['-m', 'venv', venv], here)
    install(interpreter, ['-m', 'pip', 'install', '-q', '-r', 'requirements.txt'], join(here, 'python'))
    mkdirSync(join(venv, '.complete'))
  }
  return interpreter
}

/** The franz-go program, compiled. */
export function goClient(): string {
  const program = join(build, 'franz-go-client')
  install('go', ['build', '-o', program, '.'], join(here, 'go'))
  return program
}

/** Runs a program to its end and gives its standard output; rejects with all that it said when it fails. */
export function output(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString())
      else
        reject(
          new Error(
            `${command} ${args.slice(0, 4).join(' ')} … left with ${code}:\n${Buffer.concat([...err, ...out])}`,
          ),
        )
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** Kafka's own tool of that main class, with 256 MiB of heap. */
export function kafkaTool(mainClass: string, args: readonly string[], input = ''): Promise<string> {
  return output('java', ['-Xmx256m', '-cp', join(kafkaJars(), '*'), mainClass, ...args], input)
}

/** The same with what the tool says on its error stream, which is where some of them tell what they found. */
export function kafkaToolAndErrors(mainClass: string, args: readonly string[]): Promise<string> {
  const java = ['-Xmx256m', '-cp', join(kafkaJars(), '*'), mainClass, ...args]
  return output('sh', ['-c', 'exec java "$@" 2>&1', 'sh', ...java])
}
