/**
 * The protocol between the server and a function host, over one pipe per direction: frames with a type, the item number and a payload. Item numbers
 * increase by one, so that late frames are recognized as such.
 */

/** Messages to the host. */
export const ORDER = {
  /** JSON of `RunOrder`. */
  run: 1,
  /** Aborts `ctx.signal`; the payload is the reason. */
  stop: 2,
  /** JSON of `Reply`. */
  reply: 3,
} as const

/** Messages from the host. */
export const REPORT = {
  /** The host accepts orders; the payload is its pid. */
  ready: 1,
  /** Raw output of the item. */
  stdout: 2,
  stderr: 3,
  /** JSON of `Progress`. */
  progress: 4,
  /** JSON of `Call`: answered by `ORDER.reply`. */
  call: 5,
  /** The function returned; the payload is its result as JSON. */
  result: 6,
  /** The function failed. JSON of `HostFailure`. */
  failure: 7,
  /** Modules have changed since they were loaded. Nothing was run. */
  stale: 8,
  /** The item has ended and left nothing behind: the host can take the next one. */
  clean: 9,
  /** The item has ended, but may have left something running: the host must end. */
  dirty: 10,
} as const

export type RunOrder = {
  readonly name: string
  /** Path of the function's module. */
  readonly path: string
  readonly parameters: unknown
  /** The item's own environment, secrets included. */
  readonly environment: Readonly<Record<string, string>>
  /** The `MILLRACE_…` variables of every running job. */
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
  /** The content is in the host's directory, in the file `artifactFileOf(call)`. */
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

/** Name of the file that an `artifact` call leaves in the host's directory. */
export const artifactFileOf = (call: number): string => `.artifact-${call}`

/** Limit for a function's result in bytes of JSON. */
export const MOST_RESULT_BYTES = 2_000_000

/** Output is split into frames of at most this many bytes. */
export const MOST_OUTPUT_BYTES = 64 * 1024

/** A longer frame cannot come from our code: its sender is no longer trusted. */
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

/** Splits incoming bytes into frames, in order. Throws if a frame is too long. The chunks must not be modified afterwards. */
export const createFrameReader = (): ((chunk: Buffer) => readonly Frame[]) => {
  let parts: Buffer[] = []
  let bytes = 0
  let wanted = HEADER_BYTES

  return chunk => {
    parts.push(chunk)
    bytes += chunk.length
    // A long frame in many chunks is concatenated only once.
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
