import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { type Message, OPEN_ID, type Reply, toFault, weightOf } from './calls.ts'

/** The work a thread does with its connection. */
export type ThreadWork = {
  open(): void
  /** Answers calls that arrived together. Never throws: errors become answers. */
  carryOut(calls: readonly Call[]): Reply
  close(): void
}
type Call = Extract<Message, readonly unknown[]>[number]

/**
 * Work (in jobs) after which a batch takes no more calls: the last ones would wait too long for the first, and with everything in one answer, one of
 * the two threads would always be waiting for the other.
 */
const MAX_WEIGHT = 1000

/** Answers messages from the port until it receives `close`. Runs everything that has arrived meanwhile as one batch. */
export const serveThread = (port: MessagePort, work: ThreadWork): void => {
  port.on('message', (first: Message) => {
    const messages = takeWaiting(port, first)
    const calls = messages.flatMap(message => (typeof message === 'string' ? [] : message))
    if (messages[0] === 'open') port.postMessage(open(work))
    if (calls.length > 0) port.postMessage(work.carryOut(calls))
    if (messages.at(-1) !== 'close') return
    work.close()
    port.close()
  })
}

const takeWaiting = (port: MessagePort, first: Message): Message[] => {
  const messages = [first]
  let weight = weigh(first)
  while (weight < MAX_WEIGHT && messages.at(-1) !== 'close') {
    const next = receiveMessageOnPort(port)
    if (!next) break
    messages.push(next.message)
    weight += weigh(next.message)
  }
  return messages
}

const weigh = (message: Message): number =>
  typeof message === 'string' ? 0 : message.reduce((sum, [, , input]) => sum + weightOf(input), 0)

const open = (work: ThreadWork): Reply => {
  try {
    work.open()
    return { answers: [[OPEN_ID, null, null]], effects: null }
  } catch (error) {
    return { answers: [[OPEN_ID, null, toFault(error)]], effects: null }
  }
}
