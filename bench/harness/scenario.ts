import type { Row } from './result.ts'

/** What a scenario is given. */
export type BenchContext = {
  /** A directory of the whole bench run, removed afterwards. */
  readonly directory: string
  /** Says on standard error what is going on. */
  readonly note: (text: string) => void
  /** Where processes under measurement write CPU profiles; null: no profiles. */
  readonly profileDirectory: string | null
  /** How many rounds of an interleaved comparison count. */
  readonly rounds: number
}

/** One or several rows of the table of figures, measured in one run. */
export type Scenario = {
  readonly name: string
  readonly about: string
  run(context: BenchContext): Promise<readonly Row[]>
}
