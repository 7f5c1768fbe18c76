import { Writable } from 'node:stream'
import { encodeFrame, MOST_OUTPUT_BYTES, REPORT } from '../host-protocol.ts'
import type { Channel } from './channel.ts'
import { currentItem } from './scope.ts'

/** Redirects `console` and the standard streams to the log of the item that uses them. */
export const takeOverOutput = (channel: Channel): void => {
  for (const stream of ['stdout', 'stderr'] as const) {
    const writable = new Writable({
      decodeStrings: true,
      write: (chunk: Buffer, _encoding, done) => {
        sayOutput(channel, stream, chunk)
        done()
      },
    })
    Object.defineProperty(process, stream, { configurable: true, enumerable: true, get: () => writable })
  }
}

/** Sends output of the current item. Output outside an item is dropped. */
export const sayOutput = (channel: Channel, stream: 'stdout' | 'stderr', bytes: Uint8Array): void => {
  const item = currentItem()
  if (item === null) return
  for (let at = 0; at < bytes.length; at += MOST_OUTPUT_BYTES)
    channel.sayAll([encodeFrame(REPORT[stream], item.number, bytes.subarray(at, at + MOST_OUTPUT_BYTES))])
}
