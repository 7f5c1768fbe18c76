type Work<Input> = {
  /** Of the smaller input. The larger one is twice as long. */
  readonly size: number
  readonly make: (size: number) => Input
  readonly work: (input: Input) => unknown
}

/**
 * Too little to tell anything by: what is quick may be counted as nothing, since the clock of a thread can go in steps of milliseconds. Sizes are to be such
 * that work that goes through its input again and again takes more.
 */
export const NOISE_MICROSECONDS = 10_000

/**
 * How many times as long the work takes when its input is twice as long: about 2 when it goes through the input once, about 4 when it does so from each
 * place in it, so a test wants less than 3. CPU time of this thread, the best of three: what else the machine does counts for nothing.
 */
export const growthOf = async <Input>({ size, make, work }: Work<Input>): Promise<number> => {
  const [once, twice] = [make(size), make(2 * size)]
  let [onceTook, twiceTook] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < 3; round++) {
    onceTook = Math.min(onceTook, await cpuTimeOf(() => work(once)))
    twiceTook = Math.min(twiceTook, await cpuTimeOf(() => work(twice)))
  }
  return twiceTook / Math.max(onceTook, NOISE_MICROSECONDS)
}

/** Microseconds of this thread, user and system. */
export const cpuTimeOf = async (work: () => unknown): Promise<number> => {
  const begun = process.threadCpuUsage()
  await work()
  const { user, system } = process.threadCpuUsage(begun)
  return user + system
}
