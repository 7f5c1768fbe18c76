/** How many milliseconds are at once: a second, or as many as five jobs need that do nothing, should the machine be that busy. `run` carries out one such job. */
export const millisecondsAtOnce = async (run: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await run()
  return Math.max(1000, 5 * (performance.now() - begun))
}
