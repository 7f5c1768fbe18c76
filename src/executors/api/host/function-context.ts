import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { artifactFileOf, type Call, type Reply, type RunOrder } from '../host-protocol.ts'
import type { Channel } from './channel.ts'
import { type Item, runWithin } from './scope.ts'
import type { StopSource } from './stop-source.ts'

/** The second argument of a function: facts about its item, and requests it can make. */
export interface FunctionContext {
  /** Aborts when the item is cancelled or out of time. A function that does not end is killed after the grace period. */
  readonly signal: AbortSignal
  readonly attempt: number
  readonly jobId: string
  readonly runId: string | null
  readonly workflowId: string | null
  readonly scheduledAt: Date
  /** The item's own variables, secrets included. */
  readonly environment: Readonly<Record<string, string>>
  /** Like console.log: writes a line to the item's log. */
  log(...values: readonly unknown[]): void
  progress(percentage: number | null, message?: string | null): void
  /** Adds job bodies to the run when this item completes. Rejects with their faults. */
  extendPayload(items: readonly unknown[]): Promise<void>
  /** Gives the item its whole time again from now. */
  extendTimeout(): Promise<void>
  /** Stores a file, given as its content or its path. */
  artifact(name: string, content: string | Uint8Array | { readonly path: string }): Promise<'added' | 'name_taken'>
}

/** The state of an item in this process. */
export type RunningItem = Item & {
  readonly order: RunOrder
  readonly stop: StopSource
  /** Calls that wait for a reply. */
  readonly calls: Map<number, (reply: Reply) => void>
}

type Options = {
  readonly channel: Channel
  readonly item: RunningItem
  /** The host's own directory. */
  readonly directory: string
}

/** At 3 bytes per character in UTF-8, this stays below the longest frame. */
const MOST_CALL_CHARACTERS = 8 * 1024 * 1024

export const createFunctionContext = ({ channel, item, directory }: Options): FunctionContext => {
  const { order, number } = item
  let lastCall = 0

  const mustBeOpen = (): void => {
    if (!item.open) throw new Error('The item is over: its function has returned.')
  }

  const ask = <T>(call: Call): Promise<T> => {
    mustBeOpen()
    const text = JSON.stringify(call)
    if (text.length > MOST_CALL_CHARACTERS) throw new Error('This is too large to be said at once: split it.')
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    item.calls.set(call.call, reply => ('error' in reply ? reject(toError(reply.error)) : resolve(reply.value as T)))
    channel.say('call', number, text)
    return promise
  }

  return Object.freeze<FunctionContext>({
    get signal() {
      return item.stop.signal
    },
    attempt: order.attempt,
    jobId: order.jobId,
    runId: order.runId,
    workflowId: order.workflowId,
    scheduledAt: new Date(order.scheduledAt),
    environment: Object.freeze(order.environment),
    log: (...values) => runWithin(item, () => console.log(...values)),
    progress: (percentage, message = null) => {
      if (item.open) channel.say('progress', number, JSON.stringify({ percentage, message }))
    },
    extendPayload: async items => {
      if (!Array.isArray(items)) throw new TypeError('extendPayload takes a list of job bodies')
      await ask({ do: 'extend_payload', items, call: ++lastCall })
    },
    extendTimeout: async () => {
      await ask({ do: 'extend_timeout', call: ++lastCall })
    },
    artifact: async (name, content) => {
      mustBeOpen()
      const call = ++lastCall
      const file = join(directory, artifactFileOf(call))
      if (typeof content === 'object' && 'path' in content) await copyFile(content.path, file)
      else await writeFile(file, content)
      return ask({ do: 'artifact', name, call })
    },
  })
}

const toError = ({ message, code, errors }: Extract<Reply, { error: unknown }>['error']): Error =>
  Object.assign(new Error(message), code === undefined ? {} : { code, errors })
