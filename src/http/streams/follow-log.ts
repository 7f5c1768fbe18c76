import type { JobLogs, LogBatch } from '../../logs/job-logs.ts'
import { lineEncoder } from '../../logs/line-json.ts'
import type { Channel, Message } from './channel.ts'

/** The most lines in one message of a batch. */
const LINES_A_MESSAGE = 1000

/** What a client follows, and from where on. */
export type Following = {
  readonly logs: JobLogs
  readonly workspace: string
  readonly jobId: string
  readonly fromSeq: number
  /** Arrays of lines instead of one message per line. */
  readonly batch: boolean
}

/**
 * Sends a job's log from a given line on to one client, first the backlog, then new lines, and finally the job's status. Resolves when the connection has
 * ended; rejects for faults of the server, after informing the client.
 */
export const followLog = async (channel: Channel, following: Following): Promise<void> => {
  const { logs, workspace, jobId, fromSeq, batch } = following
  try {
    for await (const part of logs.follow({ workspace, jobId, fromSeq, signal: channel.signal })) {
      if (part.type === 'lines') await channel.write(encoded(channel, part, batch))
      else await channel.write(channel.encode([endMessage(part)]))
    }
    channel.end('done')
  } catch (error) {
    channel.end('failed')
    throw error
  }
}

type Lines = Extract<LogBatch, { type: 'lines' }>

/** Encoded once for all followers that get this batch. */
const encoded = (channel: Channel, part: Lines, batch: boolean): Buffer => {
  const key = `${channel.encoding}${batch ? ' batch' : ''}`
  const known = part.frames.get(key)
  if (known !== undefined) return known as Buffer
  const frames = channel.encode(batch ? batchMessages(part) : lineMessages(part))
  part.frames.set(key, frames)
  return frames
}

const lineMessages = ({ lines }: Lines): Message[] => {
  const encode = lineEncoder()
  return lines.map(line => ({ id: line.seq, data: encode(line) }))
}

const batchMessages = ({ lines }: Lines): Message[] => {
  const encode = lineEncoder()
  const messages: Message[] = []
  for (let at = 0; at < lines.length; at += LINES_A_MESSAGE) {
    const some = lines.slice(at, at + LINES_A_MESSAGE)
    messages.push({ id: some.at(-1)!.seq, data: `[${some.map(encode).join(',')}]` })
  }
  return messages
}

const endMessage = ({ status }: Extract<LogBatch, { type: 'end' }>): Message => ({
  event: 'end',
  data: JSON.stringify({ event: 'end', status }),
})
