import { MillraceError } from '../../kernel/errors.ts'
import { isOfSystem, storageFailure } from '../../model/storage-failure.ts'
import type { ExecutionContext } from '../executor.ts'
import type { ItemListener } from './function-host.ts'
import type { Call } from './host-protocol.ts'

type Listening = {
  readonly context: ExecutionContext
  /** Called if the log, an artifact or more items could not be stored through no fault of the function: the item must end. */
  readonly onKeepingFault: (error: Error) => void
  readonly answer: (call: Call) => Promise<unknown>
  readonly reply: (text: string) => void
}

/** With this many calls pending, the host's reports are held back until one has its reply. */
const MOST_CALLS = 64

/** Handles a host's reports about an item and the calls the item makes. */
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
