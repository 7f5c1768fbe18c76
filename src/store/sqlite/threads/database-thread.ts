import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Call, type Effects, type Fault, fromFault, type Message, OPEN_ID, type Reply, weightOf } from './calls.ts'

type Operations = Readonly<Record<string, (context: never, input: never) => unknown>>
type Waiting = { readonly resolve: (output: never) => void; readonly reject: (error: Error) => void }

/** Work (`weightOf`) that justifies its own message: the thread starts on it while the event loop prepares more. */
const ENOUGH = 16
/** Sent without waiting for anything else, so that both threads are busy at the same time. */
const PLENTY = 500

/** A thread with its own database connection; small calls from one turn of the event loop are sent as one message. */
export class DatabaseThread<O extends Operations> {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #onEffects: (effects: Effects) => void
  #outbox: Call[] = []
  #outboxWeight = 0
  #isAboutToSend = false
  #nextId = OPEN_ID + 1
  #ended: Error | null = null
  #closing: Promise<void> | null = null

  /** Starts `<name>-thread` beside this file and loads its code; `open` then opens the database. */
  constructor(options: { name: 'writer' | 'reader'; path: string; onEffects?: (effects: Effects) => void }) {
    // The compiled program has .js files, and the compiler rewrites only the paths in `import`.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#onEffects = options.onEffects ?? (() => {})
    this.#worker = new Worker(new URL(`./${options.name}-thread.${extension}`, import.meta.url), {
      workerData: { path: options.path },
      env: compileCache(),
      name: `store ${options.name}`,
    })
    this.#worker.on('message', (reply: Reply) => this.#settle(reply))
    this.#worker.on('error', error => this.#end(error as Error))
    this.#worker.on('exit', () => this.#end(new Error('The store is closed.')))
  }

  /** Rejects with the thread's own error if it cannot open the database. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(OPEN_ID, { resolve, reject })
      this.#post('open')
    })
  }

  call<K extends keyof O & string>(operation: K, input: Parameters<O[K]>[1], now: number): Promise<ReturnType<O[K]>> {
    return new Promise((resolve, reject) => {
      if (this.#ended || this.#closing) return reject(this.#ended ?? new Error('The store is closed.'))
      const id = this.#nextId++
      this.#waiting.set(id, { resolve, reject })
      this.#outbox.push([id, operation, input, now])
      this.#outboxWeight += weightOf(input)
      if (this.#outboxWeight >= PLENTY) this.#send()
      else if (this.#outboxWeight >= ENOUGH) this.#sendSoon()
      else if (this.#outbox.length === 1) setImmediate(() => this.#send())
    })
  }

  /** Completes earlier calls, then ends the thread. */
  close(): Promise<void> {
    this.#closing ??= new Promise(resolve => {
      if (this.#ended) return resolve()
      this.#send()
      this.#worker.once('exit', () => resolve())
      this.#post('close')
    })
    return this.#closing
  }

  /** Includes calls made in the same microtasks, so that attempt ends and the claim for their slots share a commit. */
  #sendSoon(): void {
    if (this.#isAboutToSend) return
    this.#isAboutToSend = true
    queueMicrotask(() => {
      this.#isAboutToSend = false
      this.#send()
    })
  }

  #send(): void {
    if (this.#outbox.length === 0 || this.#ended) return
    const calls = this.#outbox
    this.#outbox = []
    this.#outboxWeight = 0
    this.#post(calls)
  }

  #post(message: Message): void {
    this.#worker.postMessage(message)
  }

  #settle({ answers, effects }: Reply): void {
    for (const [id, output, fault] of answers) this.#answer(id, output, fault)
    if (effects) this.#onEffects(effects)
  }

  #answer(id: number, output: unknown, fault: Fault | null): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (fault) waiting?.reject(fromFault(fault))
    else waiting?.resolve(output as never)
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended)
    this.#waiting.clear()
  }
}

/** A worker thread does not inherit the program's compile cache; without it, compiling costs 15 MB and 0.1 s. */
const compileCache = (): NodeJS.ProcessEnv => {
  const directory = getCompileCacheDir()
  // `getCompileCacheDir` returns the subdirectory for this Node version, and the variable expects its parent.
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) }
}
