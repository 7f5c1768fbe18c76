import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until the condition holds, looking every `everyMs`; rejects when it does not within `withinMs`. */
export const waitUntil = async (
  condition: () => boolean | Promise<boolean>,
  options: { what: string; withinMs: number; everyMs: number },
): Promise<void> => {
  const end = performance.now() + options.withinMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`gave up waiting: ${options.what}`)
    await sleep(options.everyMs)
  }
}
