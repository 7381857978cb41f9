/**
 * What a command says when it cannot do what it was asked: one sentence, and the next step where there is one.
 * It decides nothing; main.ts prints it and leaves with exit code 1.
 */
import { errorMessage, errorName } from '../protocol/index.js'

/** An error that a user can mend. The message is whole sentences. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** `Cannot delete topic a: the broker answers … (UNKNOWN_TOPIC_OR_PARTITION).`, with what the broker said where it said more. */
export function refused(
  what: string,
  errorCode: number,
  message?: string | null,
  nextStep?: string,
): CommandError {
  const said = (message ?? errorMessage(errorCode)).replace(/\.$/, '')
  return new CommandError(
    `Cannot ${what}: ${said} (${errorName(errorCode)}).${nextStep ? ` ${nextStep}` : ''}`,
  )
}
