import { type Exit, failed, type NewResult, type Outcome } from '../../model/outcome.ts'
import type { ExecutionContext } from '../executor.ts'
import type { ItemEnd } from './function-host.ts'
import type { HostEnd } from './host-launcher.ts'
import { MOST_RESULT_BYTES } from './host-protocol.ts'

type Input = {
  readonly end: ItemEnd
  /** The host was killed because the attempt was stopped. */
  readonly killed: boolean
  /** The host was killed because it used too much memory. */
  readonly isTooLarge: boolean
  /** The end of the host's raw output. */
  readonly lastWords: string
  readonly context: ExecutionContext
}

/** Converts the end of an item to an outcome. */
export const toOutcome = async (input: Input): Promise<Outcome | 'stale'> => {
  const { end, context } = input
  if (end.type === 'stale') return 'stale'
  if (end.type === 'died') return toCrash(end.end, input)
  if (end.type === 'failed') return failed(end.failure.reason, end.failure.message)
  if (end.result.length > MOST_RESULT_BYTES) return failed('result_too_large')
  return { type: 'completed', result: await keep(end.result, context) }
}

const keep = (result: Buffer, context: ExecutionContext): Promise<NewResult> =>
  context.keepResult({ format: 'json', content: new Uint8Array(result) })

const toCrash = (end: HostEnd, { killed, isTooLarge, lastWords }: Input): Outcome => {
  if (end.is !== 'ended') return killed ? { type: 'stopped' } : failed('launcher_lost')
  const exit: Exit = { exitCode: end.exitCode, signal: end.signal }
  if (end.cause === 'lease') return { ...failed('worker_lost', LEASE_RAN_OUT), exit }
  const crash = (why: string): Outcome => ({ ...failed('function_crashed', why), exit })
  if (isTooLarge) return crash('The function ran out of memory: its process used more than it may.')
  if (lastWords.includes('heap out of memory')) return crash('The function ran out of memory.')
  if (killed) return { type: 'stopped', exit }
  if (end.signal !== null) return crash(`The process of the function was ended by ${end.signal}.`)
  return crash(`The process of the function ended with exit code ${end.exitCode} before the function returned.`)
}

const LEASE_RAN_OUT = 'The worker did not renew its lease in time; the function was killed.'
