import type { Message } from './channel.ts'

/** First byte of an unmasked final text frame (RFC 6455, 5.2): the same for every client. */
const TEXT_FRAME = 0x81

/** Encodes messages as WebSocket frames in one buffer. Converting one string of single-byte characters is several times faster than a buffer per message. */
export const encodeFrames = (messages: readonly Message[]): Buffer => {
  let frames = ''
  for (const { data } of messages) {
    const payload = asciiOrBytes(data)
    frames += headerOf(payload.length) + payload
  }
  return Buffer.from(frames, 'latin1')
}

/** The UTF-8 of a text with one character per byte; an ASCII text stays as it is. */
const asciiOrBytes = (text: string): string =>
  Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1')

const headerOf = (length: number): string => {
  if (length < 126) return String.fromCharCode(TEXT_FRAME, length)
  if (length < 65536) return String.fromCharCode(TEXT_FRAME, 126, length >> 8, length & 255)
  return String.fromCharCode(
    TEXT_FRAME,
    127,
    0,
    0,
    0,
    0,
    length >>> 24,
    (length >> 16) & 255,
    (length >> 8) & 255,
    length & 255,
  )
}

/** The payloads of frames from `encodeFrames`, all far below 4 GiB. */
export function* payloadsOf(frames: Buffer): Generator<Buffer> {
  for (let at = 0; at < frames.length; ) {
    const mark = frames[at + 1]!
    const start = at + (mark < 126 ? 2 : mark === 126 ? 4 : 10)
    const length =
      mark < 126 ? mark : mark === 126 ? frames.readUInt16BE(at + 2) : Number(frames.readBigUInt64BE(at + 2))
    yield frames.subarray(start, start + length)
    at = start + length
  }
}
