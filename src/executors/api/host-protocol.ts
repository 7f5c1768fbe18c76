/**
 * What the server and a function host say to each other, over one pipe each way: frames of a type, the number of the item
 * they are about, and bytes. Numbers rise by one from item to item, so that what is late is known as such.
 */

/** To the host. */
export const ORDER = {
  /** JSON of `RunOrder`. */
  run: 1,
  /** `ctx.signal` aborts; the text is its reason. */
  stop: 2,
  /** JSON of `Reply`. */
  reply: 3,
} as const

/** From the host. */
export const REPORT = {
  /** It takes orders; the text is its process id. */
  ready: 1,
  /** Output of the item, as it is. */
  stdout: 2,
  stderr: 3,
  /** JSON of `Progress`. */
  progress: 4,
  /** JSON of `Call`: answered by `ORDER.reply`. */
  call: 5,
  /** The function has returned; its result as JSON. */
  result: 6,
  /** It has not; JSON of `HostFailure`. */
  failure: 7,
  /** Modules have changed since they were loaded: nothing has been run. */
  stale: 8,
  /** The item is over and nothing of it is left: the next one may come. */
  clean: 9,
  /** The item is over, but something it started may be left: this host must end. */
  dirty: 10,
} as const

export type RunOrder = {
  readonly name: string
  /** Of its module. */
  readonly path: string
  readonly parameters: unknown
  /** The item's own environment, secrets included. */
  readonly environment: Readonly<Record<string, string>>
  /** `MILLRACE_…` as every running job has them. */
  readonly common: Readonly<Record<string, string>>
  readonly jobId: string
  readonly attempt: number
  readonly runId: string | null
  readonly workflowId: string | null
  /** Epoch ms. */
  readonly scheduledAt: number
}

export type Call = { readonly call: number } & (
  | { readonly do: 'extend_payload'; readonly items: readonly unknown[] }
  | { readonly do: 'extend_timeout' }
  /** The content lies in the host's directory as `artifact-<call>`. */
  | { readonly do: 'artifact'; readonly name: unknown }
)

export type Reply = { readonly call: number } & (
  | { readonly value: unknown }
  | { readonly error: { readonly message: string; readonly code?: string; readonly errors?: unknown } }
)

export type HostFailure = {
  readonly reason: 'function_threw' | 'function_unreadable' | 'result_unreadable' | 'result_too_large'
  readonly message: string
}

/** Name of the file that a call of `artifact` leaves in the host's directory. */
export const artifactFileOf = (call: number): string => `.artifact-${call}`

/** A function's result may have this many bytes as JSON. */
export const MOST_RESULT_BYTES = 2_000_000

/** Output is cut into frames of at most this many bytes. */
export const MOST_OUTPUT_BYTES = 64 * 1024

/** A longer frame is none of ours: whoever sent it is not to be listened to any more. */
const MOST_FRAME_BYTES = 32 * 1024 * 1024

export type Frame = { readonly type: number; readonly item: number; readonly payload: Buffer }

const HEADER_BYTES = 9

export const encodeFrame = (type: number, item: number, payload: string | Uint8Array = ''): Buffer => {
  const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes)
  frame.writeUInt8(type, 0)
  frame.writeUInt32LE(item, 1)
  frame.writeUInt32LE(bytes, 5)
  if (typeof payload === 'string') frame.write(payload, HEADER_BYTES)
  else frame.set(payload, HEADER_BYTES)
  return frame
}

/** Cuts what comes in into frames, given in order. Throws at a frame that is too long. The bytes must stay as they are. */
export const createFrameReader = (): ((chunk: Buffer) => readonly Frame[]) => {
  let parts: Buffer[] = []
  let bytes = 0
  let wanted = HEADER_BYTES

  return chunk => {
    parts.push(chunk)
    bytes += chunk.length
    // A long frame in many pieces is put together once.
    if (bytes < wanted) return []
    const data = parts.length === 1 ? chunk : Buffer.concat(parts)
    const frames: Frame[] = []
    let at = 0
    wanted = HEADER_BYTES
    while (at + HEADER_BYTES <= data.length) {
      const length = data.readUInt32LE(at + 5)
      if (length > MOST_FRAME_BYTES) throw new Error('a frame is too long')
      const end = at + HEADER_BYTES + length
      if (end > data.length) {
        wanted = HEADER_BYTES + length
        break
      }
      frames.push({ type: data[at]!, item: data.readUInt32LE(at + 1), payload: data.subarray(at + HEADER_BYTES, end) })
      at = end
    }
    parts = at < data.length ? [data.subarray(at)] : []
    bytes = data.length - at
    return frames
  }
}
