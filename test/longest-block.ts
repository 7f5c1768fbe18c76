/**
 * The longest time in milliseconds for which the work blocked this thread. CPU time, not wall-clock time: other load on the machine counts for
 * nothing.
 */
export const longestBlockOf = async (work: () => Promise<unknown>): Promise<number> => {
  let longest = 0
  let before = cpuTime()
  const look = (): void => {
    const now = cpuTime()
    longest = Math.max(longest, now - before)
    before = now
  }
  const timer = setInterval(look, 5)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  look()
  return longest
}

/** Milliseconds of this thread, user and system. */
const cpuTime = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
