import { isDiskFull, MillraceError } from '../../kernel/errors.ts'
import type { Progress } from '../../model/job.ts'
import type { ExecutionContext } from '../executor.ts'
import type { ItemListener } from './function-host.ts'
import type { Call } from './host-protocol.ts'

type Listening = {
  readonly context: ExecutionContext
  /** The log or an artifact could not be written: the item is to end. */
  readonly onLogFault: (error: Error) => void
  readonly answer: (call: Call) => Promise<unknown>
  readonly reply: (text: string) => void
}

/** Hears what a host says of an item and does what the item asks for. */
export const createItemListener = ({
  context,
  onLogFault,
  answer,
  reply,
}: Listening): ItemListener & { settle(): Promise<unknown> } => {
  const answers = new Set<Promise<void>>()

  const answerCall = async (call: Call): Promise<void> => {
    try {
      reply(JSON.stringify({ call: call.call, value: (await answer(call)) ?? null }))
    } catch (error) {
      if (isDiskFull(error)) onLogFault(error as Error)
      reply(JSON.stringify({ call: call.call, error: toShown(error as Error) }))
    }
  }

  return {
    output: (stream, bytes) => {
      try {
        return context.log.write(stream, bytes)?.catch(onLogFault)
      } catch (error) {
        onLogFault(error as Error)
      }
    },
    progress: payload => {
      const progress = readProgress(payload)
      if (progress !== null) context.progress(progress)
    },
    call: payload => {
      const answering: Promise<void> = answerCall(JSON.parse(payload.toString()) as Call).finally(() => {
        answers.delete(answering)
      })
      answers.add(answering)
    },
    settle: () => Promise.all(answers),
  }
}

const toShown = (error: Error): { message: string; code?: string; errors?: unknown } =>
  error instanceof MillraceError
    ? { message: error.message, code: error.code, errors: error.errors }
    : { message: error.message }

const LONGEST_MESSAGE = 1000

/** A host is not to be trusted with what others read. */
const readProgress = (payload: Buffer): Progress | null => {
  const { percentage, message } = JSON.parse(payload.toString()) as Record<string, unknown>
  const number = typeof percentage === 'number' ? Math.min(100, Math.max(0, percentage)) : null
  const text = typeof message === 'string' ? message.slice(0, LONGEST_MESSAGE).toWellFormed() : null
  return { percentage: number, message: text }
}
