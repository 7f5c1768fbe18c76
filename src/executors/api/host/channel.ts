import { constants, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { createFrameReader, encodeFrame, type Frame, REPORT } from '../host-protocol.ts'

/** The host's side of the two pipes. */
export interface Channel {
  /** Returns once the report is in the pipe: a later crash of this process loses nothing. */
  say(report: keyof typeof REPORT, item: number, payload?: string | Uint8Array): void
  /** Sends several reports in one write. */
  sayAll(frames: readonly Uint8Array[]): void
  listen(obey: (order: Frame) => void): void
}

const BLOCK_BYTES = 64 * 1024

/** The pipes are named, not inherited, so that processes started by functions do not get them. */
export const openChannel = ({ orders, reports }: { orders: string; reports: string }): Channel => {
  const output = openSync(reports, constants.O_WRONLY)
  const input = openSync(orders, constants.O_RDONLY | constants.O_NONBLOCK)

  const sayAll = (frames: readonly Uint8Array[]): void => {
    const bytes = frames.length === 1 ? frames[0]! : Buffer.concat(frames)
    for (let at = 0; at < bytes.length; ) at += writeSync(output, bytes, at)
  }

  return {
    say: (report, item, payload) => sayAll([encodeFrame(REPORT[report], item, payload)]),
    sayAll,
    listen: obey => {
      const read = createFrameReader()
      const socket = new Socket({
        fd: input,
        readable: true,
        writable: false,
        onread: {
          buffer: Buffer.allocUnsafeSlow(BLOCK_BYTES),
          callback: (bytes, block) => {
            for (const order of read(Buffer.from((block as Buffer).subarray(0, bytes)))) obey(order)
            return true
          },
        },
      })
      // Exit when the server is gone.
      socket.on('end', () => process.exit(0))
      socket.resume()
    },
  }
}
