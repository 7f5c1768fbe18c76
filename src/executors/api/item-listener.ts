import { MillraceError } from '../../kernel/errors.ts'
import { isOfSystem, storageFailure } from '../../model/storage-failure.ts'
import type { ExecutionContext } from '../executor.ts'
import type { ItemListener } from './function-host.ts'
import type { Call } from './host-protocol.ts'

type Listening = {
  readonly context: ExecutionContext
  /** The log, an artifact or more items could not be kept, through no fault of the function: the item is to end. */
  readonly onKeepingFault: (error: Error) => void
  readonly answer: (call: Call) => Promise<unknown>
  readonly reply: (text: string) => void
}

/** A function that asks without waiting is not listened to further until one of so many has its answer. */
const MOST_CALLS = 64

/** Hears what a host says of an item and does what the item asks for. */
export const createItemListener = ({
  context,
  onKeepingFault,
  answer,
  reply,
}: Listening): ItemListener & { settle(): Promise<unknown> } => {
  const answers = new Set<Promise<void>>()

  const answerCall = async (call: Call): Promise<void> => {
    try {
      reply(JSON.stringify({ call: call.call, value: (await answer(call)) ?? null }))
    } catch (error) {
      if (storageFailure(error) !== null || isOfSystem(error)) onKeepingFault(error as Error)
      reply(JSON.stringify({ call: call.call, error: toShown(error as Error) }))
    }
  }

  return {
    output: (stream, bytes) => {
      try {
        return context.log.write(stream, bytes)?.catch(onKeepingFault)
      } catch (error) {
        onKeepingFault(error as Error)
      }
    },
    progress: progress => context.progress(progress),
    call: call => {
      const answering: Promise<void> = answerCall(call).finally(() => {
        answers.delete(answering)
      })
      answers.add(answering)
      if (answers.size >= MOST_CALLS) return Promise.race(answers)
    },
    settle: () => Promise.all(answers),
  }
}

const toShown = (error: Error): { message: string; code?: string; errors?: unknown } =>
  error instanceof MillraceError
    ? { message: error.message, code: error.code, errors: error.errors }
    : { message: error.message }
