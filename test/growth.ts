type Work<Input> = {
  /** Of the smaller input. The larger one is twice as long. */
  readonly size: number
  readonly make: (size: number) => Input
  readonly work: (input: Input) => unknown
}

/**
 * Below this the result means nothing: quick work may count as nothing, since the clock of a thread can advance in steps of milliseconds. Choose sizes
 * for which work that is more than linear takes longer.
 */
export const NOISE_MICROSECONDS = 10_000

/** Rounds if the result is clear at once, and if it is not. */
const ROUNDS = { least: 3, most: 12 }
const CLEARLY_LINEAR = 2.5

/**
 * How many times as long the work takes for twice the input: about 2 if it is linear, about 4 if it is quadratic, so a test expects less than 3. CPU time of
 * this thread, the best of some rounds, so that other load on the machine does not count: it slows this thread, too, while it shares the caches.
 */
export const growthOf = async <Input>({ size, make, work }: Work<Input>): Promise<number> => {
  const [once, twice] = [make(size), make(2 * size)]
  let [onceTook, twiceTook] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 1; ; round++) {
    onceTook = Math.min(onceTook, await cpuTimeOf(() => work(once)))
    twiceTook = Math.min(twiceTook, await cpuTimeOf(() => work(twice)))
    const growth = twiceTook / Math.max(onceTook, NOISE_MICROSECONDS)
    if (round === ROUNDS.most || (round >= ROUNDS.least && growth < CLEARLY_LINEAR)) return growth
  }
}

/** Microseconds of this thread, user and system. */
export const cpuTimeOf = async (work: () => unknown): Promise<number> => {
  const begun = process.threadCpuUsage()
  await work()
  const { user, system } = process.threadCpuUsage(begun)
  return user + system
}
