import type { Clock } from '../../kernel/clock.ts'
import type { KindDefinition } from '../kind-definition.ts'
import { openFunctionFolder } from './function-folder.ts'
import { apiProperties } from './spec.ts'

/** For this long, a function that was found is not looked up again: a batch may name one a thousand times. */
const TRUST_MS = 1000
/** Limit for names explained within `TRUST_MS`: a batch may have ten thousand wrong ones, and each explanation scans the folder. */
const MOST_EXPLAINED = 20

/** Kind `api`: functions of a folder, which need not exist yet. */
export const createApiDefinition = (options: { functionsDir: string; clock: Clock }): KindDefinition => {
  const folder = openFunctionFolder(options.functionsDir)
  const found = new Map<string, number>()

  let explained = { since: Number.NEGATIVE_INFINITY, count: 0 }

  const explain = (name: string): string => {
    const now = options.clock.monotonic()
    if (now - explained.since >= TRUST_MS) explained = { since: now, count: 0 }
    return ++explained.count <= MOST_EXPLAINED ? folder.explain(name) : `there is no function ${JSON.stringify(name)}`
  }

  const isKnown = (name: string): boolean => {
    const now = options.clock.monotonic()
    if (now - (found.get(name) ?? Number.NEGATIVE_INFINITY) < TRUST_MS) return true
    found.delete(name)
    if ('problem' in folder.find(name)) return false
    found.set(name, now)
    return true
  }

  const nameFault = (name: string): string | null => (isKnown(name) ? null : explain(name))

  return {
    kind: 'api',
    properties: apiProperties,
    merges: { environment: true, parameters: true },
    secretMaps: ['environment'],
    timeout: { defaultMs: 600_000, maximumMs: 3_600_000 },
    nameFault,
    check: body => {
      const message = nameFault(body.api as string)
      return message === null ? [] : [{ path: 'api', message }]
    },
  }
}
