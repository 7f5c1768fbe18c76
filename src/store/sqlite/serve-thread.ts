import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { type Message, OPEN_ID, type Reply, toFault } from './calls.ts'

/** What a thread does with its connection. */
export type ThreadWork = {
  open(): void
  /** Answers calls that came together. Throws nothing: faults are answers. */
  carryOut(calls: readonly Call[]): Reply
  close(): void
}
type Call = Extract<Message, readonly unknown[]>[number]

/** Calls that are carried out together at most: those at the end would wait too long for the first ones. */
const MAX_CALLS = 1000

/** Answers what comes through the port, until it says `close`. What has arrived meanwhile is carried out together. */
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
  let calls = typeof first === 'string' ? 0 : first.length
  while (calls < MAX_CALLS && messages.at(-1) !== 'close') {
    const next = receiveMessageOnPort(port)
    if (!next) break
    const message: Message = next.message
    messages.push(message)
    if (typeof message !== 'string') calls += message.length
  }
  return messages
}

const open = (work: ThreadWork): Reply => {
  try {
    work.open()
    return { answers: [[OPEN_ID, null, null]], effects: null }
  } catch (error) {
    return { answers: [[OPEN_ID, null, toFault(error)]], effects: null }
  }
}
