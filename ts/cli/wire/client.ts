/**
 * The Kafka client that `produce` and `consume` move records with: its options, and its errors in one sentence.
 */
import { GenericError, MultipleErrors } from '@platformatic/kafka'
import type { ClusterOptions } from '../command.js'
import { CommandError } from '../failure.js'
import { parseBootstrap } from './cluster.js'

export function clientOptions(options: ClusterOptions) {
  return {
    clientId: 'millrace-cli',
    bootstrapBrokers: parseBootstrap(options.bootstrapServer).map(({ host, port }) => ({ host, port })),
    timeout: options.timeout,
    retries: 10,
    retryDelay: 200,
  }
}

/** What went wrong at the bottom of the client's nested errors. Passes on what is a CommandError already. */
export function clientError(what: string, error: unknown, afterwards = ''): CommandError {
  if (error instanceof CommandError) return error
  const messages = [...new Set(innermost(error))].map((message) => message.replace(/\.$/, ''))
  return new CommandError(
    `Cannot ${what}: ${messages.join('; ')}.${afterwards === '' ? '' : ` ${afterwards}`}`,
  )
}

function innermost(error: unknown): string[] {
  if (error instanceof MultipleErrors || error instanceof AggregateError) {
    const inner = error.errors.flatMap(innermost)
    if (inner.length > 0) return inner
  }
  if (error instanceof Error && error.cause instanceof Error) return innermost(error.cause)
  if (error instanceof GenericError && typeof error.apiId === 'string') {
    return [`${error.message} (${error.apiId})`]
  }
  return [error instanceof Error ? error.message : String(error)]
}
