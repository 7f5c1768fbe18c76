import { Worker } from 'node:worker_threads'
import type { HashCall, HashReply } from './hash-thread.ts'

/** Hashes files on its own thread, which also reads them: a gigabyte would block the event loop for a second. */
export interface FileHasher {
  /** `descriptor` must stay open until all calls have resolved. */
  open(descriptor: number): FileHash
}

export interface FileHash {
  /** Adds the bytes from `from` to `to` (exclusive). Call in order. */
  add(from: number, to: number): Promise<void>
  /** The SHA-256 of the added bytes in hexadecimal. Must always be called, because the thread keeps state for the file until then. */
  end(): Promise<string>
}

type Waiting = { readonly resolve: (sha256: string | null) => void; readonly reject: (error: Error) => void }

/** Starts nothing yet: the thread starts with the first file. It ends with the process and does not keep it alive. */
export const createFileHasher = (): FileHasher => {
  const waiting = new Map<number, Waiting>()
  let thread: Worker | null = null
  let calls = 0
  let files = 0

  const settle = (reply: HashReply): void => {
    const { resolve, reject } = waiting.get(reply.call)!
    waiting.delete(reply.call)
    if (waiting.size === 0) thread?.unref()
    if ('fault' in reply) reject(new Error(reply.fault))
    else resolve(reply.sha256)
  }

  const start = (): Worker => {
    // The compiled program has .js files, and only `import` specifiers are rewritten.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const started = new Worker(new URL(`./hash-thread.${extension}`, import.meta.url), { name: 'hash', env: {} })
    started.on('message', settle)
    started.on('error', error => {
      thread = null
      for (const { reject } of waiting.values()) reject(error as Error)
      waiting.clear()
    })
    thread = started
    return started
  }

  const ask = (what: object): Promise<string | null> =>
    new Promise((resolve, reject) => {
      const call = ++calls
      waiting.set(call, { resolve, reject })
      const worker = thread ?? start()
      worker.ref()
      worker.postMessage({ call, ...what } as HashCall)
    })

  return {
    open: descriptor => {
      const file = ++files
      return {
        add: async (from, to) => void (await ask({ file, descriptor, from, to })),
        end: async () => (await ask({ file, end: true }))!,
      }
    },
  }
}
