/** What counts as "at once" in milliseconds: a second, or as long as five jobs that do nothing, should the machine be that busy. `run` runs one such job. */
export const millisecondsAtOnce = async (run: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await run()
  return Math.max(1000, 5 * (performance.now() - begun))
}
