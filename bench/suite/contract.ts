// What the pieces of the benchmark suite owe each other: parts say what is measured, the runner when and how often.
// Types alone; nothing here runs.

/** Numbers of one slice by name; the unit is in the name (`cpuSecondsPerGiB`, `p99Us`, `mib`). */
export type Figures = Readonly<Record<string, number>>

/** Who is measured; `again` is a second Millrace, for a run of A against A. */
export type TargetName = 'millrace' | 'kafka' | 'again'

/** CPU-seconds of a whole process, all threads, since it started (10 ms ticks of /proc/PID/stat). */
export interface Usage {
  readonly user: number
  readonly system: number
}

/** One broker process under measurement, pinned to the broker's core. */
export interface Target {
  readonly name: TargetName
  /** `host:port` */
  readonly bootstrap: string
  readonly pid: number
  usage(): Usage
  /** Resident set, MiB, page cache left out. */
  residentMiB(): number
  /** SIGTERM, and the time until the process is gone, ms. */
  stop(): Promise<number>
  /** SIGKILL, and gone. */
  kill(): Promise<void>
}

/** How a broker is started. */
export interface StartOptions {
  /** Kept between starts by whoever asks for the same name again; removed at the end of the part, one of `freshFolder`
   * at the end of the slice. */
  readonly folder: string
  /** Broker configs by Kafka's keys, the same for both targets. */
  readonly config?: Readonly<Record<string, string>>
  /** CPUs of the process (`0`, `0-1`); the broker's core where left out. */
  readonly cores?: string
  /** Environment variables beside those of the runner. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Started {
  readonly target: Target
  /** ms from exec to the first connection that is accepted. */
  readonly readyMs: number
}

/** What a part may do. */
export interface Context {
  readonly brokerCore: number
  readonly clientCore: number
  /** 1 to `rounds`. */
  readonly round: number
  /** Sizes are to be small: one round to see that everything works. */
  readonly quick: boolean
  /** A folder for the floors' files, on the brokers' file system. */
  readonly folder: string
  /** Runs `millrace-bench COMMAND JSON`, pinned to the client's core unless the options name one. Its result. */
  bench(command: string, options: Readonly<Record<string, unknown>>): Promise<Figures>
  /** Makes page-cache memory of `bytes` warm right now (writes and removes a file until a pass is cheap). CPU-s/GiB of
   * the last pass. Call it directly before what writes; the runner does it before every slice with `Part.writes`. */
  prime(bytes: number): Promise<number>
  /** `act` with the CPU that the target took meanwhile. */
  measured(
    target: Target,
    act: () => Promise<Figures>,
  ): Promise<{ figures: Figures; usage: Usage; seconds: number }>
  /** A broker of the part's own, beside or instead of the shared ones. Ended at the end of the slice if still alive. */
  start(name: TargetName, options: StartOptions): Promise<Started>
  /** A folder for `start` that was not used before: a slice that is repeated finds nothing of the attempt before. */
  freshFolder(): string
  /** A topic name that was not used before. Topics are created by whoever loads (`createTopic` of millrace-bench). */
  freshTopic(): string
}

/** One line of the report: a figure of both targets and perhaps of a floor. */
export interface Measure {
  /** Key in the figures of `run`. */
  readonly key: string
  readonly label: string
  readonly unit: string
  /** Key in the figures of `floors` that it is held against. */
  readonly floor?: string
  /** More is better (throughput); less otherwise. */
  readonly more?: boolean
}

/** A goal of the suite, judged by medians. `value` is what is compared, `limit` in the sense of `most`/`least`. */
export interface Goal {
  /** The row of the table of goals. */
  readonly row: number
  readonly text: string
  value(medians: { millrace: Figures; kafka?: Figures; floor: Figures }): number | undefined
  readonly most?: number
  readonly least?: number
}

export interface Part {
  readonly name: string
  readonly title: string
  /** One paragraph for the report: what runs, with all sizes. */
  readonly method: string
  readonly measures: readonly Measure[]
  readonly goals: readonly Goal[]
  /** Page-cache bytes that a slice writes: so much is primed before it. */
  readonly writes?: number
  /** The part starts its own brokers through `context.start`: `run` gets only a name. */
  readonly own?: boolean
  /** Once per target before the first round (topics, warm-up beyond the common one). */
  prepare?(target: Target, context: Context): Promise<void>
  /** The floors, each round. */
  floors?(context: Context): Promise<Figures>
  /** One slice of a part with shared brokers. */
  run?(target: Target, context: Context): Promise<Figures>
  /** One slice of a part with brokers of its own. */
  runOwn?(name: TargetName, context: Context): Promise<Figures>
  /** Whether steal cannot have made these figures what they are: then a slice is not repeated for it. */
  settled?(figures: Figures): boolean
  /** Once per target after the last round. */
  finish?(target: Target, context: Context): Promise<void>
}
