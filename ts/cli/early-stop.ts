/**
 * A stop that is asked for before there is a broker: from the first line of `millrace start` on, a SIGTERM or SIGINT
 * ends it with exit code 0. What is on the disk is valid at any point. Loads nothing.
 */
const signals = ['SIGTERM', 'SIGINT'] as const
const leave = (): void => process.exit(0)

export function stopEarly(): void {
  for (const signal of signals) process.on(signal, leave)
}

/** Somebody else listens now. */
export function stopEarlyNoMore(): void {
  for (const signal of signals) process.off(signal, leave)
}
