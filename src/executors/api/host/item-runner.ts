import { inspect } from 'node:util'
import {
  encodeFrame,
  type Frame,
  type HostFailure,
  ORDER,
  REPORT,
  type Reply,
  type RunOrder,
} from '../host-protocol.ts'
import type { Channel } from './channel.ts'
import { encodeResult } from './encode-result.ts'
import { createFunctionContext, type RunningItem } from './function-context.ts'
import { watchLeftovers } from './leftovers.ts'
import { type LoadedFunction, type Modules, UnreadableFunction } from './modules.ts'
import { sayOutput } from './output.ts'
import type { OwnDirectory } from './own-directory.ts'
import { isLeftover, runWithin } from './scope.ts'
import { createStopSource } from './stop-source.ts'

type Options = {
  readonly channel: Channel
  readonly modules: Modules
  readonly directory: OwnDirectory
  /** The environment this process was started with, the base of every item's environment. */
  readonly base: Readonly<Record<string, string | undefined>>
  readonly setEnvironment: (wanted: Readonly<Record<string, string | undefined>>) => void
}

type Running = RunningItem & { readonly fault: PromiseWithResolvers<never> }

/** Carries out the server's orders: runs items one at a time, each until its report. */
export const createItemRunner = ({ channel, modules, directory, base, setEnvironment }: Options) => {
  const leftovers = watchLeftovers(directory)
  let current: Running | null = null
  let tainted = false

  // An uncaught exception would end a standalone process. Here it ends the item and then this process.
  process.on('uncaughtException', error => {
    tainted = true
    if (!isLeftover()) current?.fault.reject(error)
  })

  const run = async (item: Running): Promise<void> => {
    leftovers.begin()
    setEnvironment({ ...base, ...item.order.common, ...item.order.environment })
    const report = await runWithin(item, () => carryOut(item))
    item.open = false
    current = null
    const clean = (await leftovers.settle()) && !tainted
    channel.sayAll([report, encodeFrame(clean ? REPORT.clean : REPORT.dirty, item.number)])
  }

  /** Returns the report of the item's end. */
  const carryOut = async (item: Running): Promise<Buffer> => {
    let loaded: LoadedFunction
    try {
      loaded = await Promise.race([modules.loadFunction(item.order.path), item.fault.promise])
    } catch (error) {
      return isUnreadable(error)
        ? toReport(item, { reason: 'function_unreadable', message: error.message })
        : failed(item, { reason: 'function_unreadable', message: describeUnreadable(error) }, error)
    }
    try {
      const context = createFunctionContext({ channel, item, directory: directory.path })
      const value = await Promise.race([loaded(item.order.parameters, context), item.fault.promise])
      return toReport(item, encodeResult(value))
    } catch (error) {
      return failed(item, { reason: 'function_threw', message: describe(error) }, error)
    }
  }

  const failed = (item: Running, failure: HostFailure, error: unknown): Buffer => {
    sayOutput(channel, 'stderr', Buffer.from(`${stackOf(error)}\n`))
    return toReport(item, failure)
  }

  const start = (item: number, payload: Buffer): void => {
    if (modules.haveChanged()) {
      channel.say('stale', item)
      return
    }
    current = newItem(item, JSON.parse(payload.toString()) as RunOrder)
    void run(current)
  }

  return {
    obey: ({ type, item, payload }: Frame): void => {
      if (type === ORDER.run) start(item, payload)
      else if (current?.number === item) hear(current, { type, payload })
    },
  }
}

/** Handles an order for the running item. */
const hear = (item: Running, { type, payload }: Pick<Frame, 'type' | 'payload'>): void => {
  if (type === ORDER.stop) {
    runWithin(item, () => item.stop.abort(payload.toString()))
    return
  }
  const reply = JSON.parse(payload.toString()) as Reply
  item.calls.get(reply.call)?.(reply)
  item.calls.delete(reply.call)
}

const newItem = (number: number, order: RunOrder): Running => {
  const fault = Promise.withResolvers<never>()
  // The rejection is handled where the promise is raced. This avoids an unhandled rejection.
  fault.promise.catch(() => {})
  return { number, order, open: true, stop: createStopSource(), calls: new Map(), fault }
}

const toReport = ({ number }: Running, end: Buffer | HostFailure): Buffer =>
  Buffer.isBuffer(end)
    ? encodeFrame(REPORT.result, number, end)
    : encodeFrame(REPORT.failure, number, JSON.stringify(end))

const LONGEST_MESSAGE = 4000

/** Anything can be thrown, and inspecting it may throw in turn. */
const isUnreadable = (error: unknown): error is UnreadableFunction => {
  try {
    return error instanceof UnreadableFunction
  } catch {
    return false
  }
}

const describe = (error: unknown): string => {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : inspect(error, { depth: 1 })
    return text.slice(0, LONGEST_MESSAGE)
  } catch {
    return 'something that cannot be shown'
  }
}

const stackOf = (error: unknown): string => {
  try {
    return inspect(error)
  } catch {
    return 'something that cannot be shown'
  }
}

/** A syntax error gives its location only at the head of its stack, not in its message. */
const describeUnreadable = (error: unknown): string => {
  const place = /^(?:file:\/\/)?(\/.*:\d+)$/m.exec(stackOf(error))?.[1]
  return place === undefined ? describe(error) : `${describe(error)} (${place})`
}
