import { createHash } from 'node:crypto'
import { createHttpExecutor } from '../../src/executors/http/http-executor.ts'
import { parseAddressRules } from '../../src/kernel/address-rules.ts'
import type { NewResult, Outcome } from '../../src/model/outcome.ts'
import { type Context, claimedJob, createContext } from '../command/attempt.ts'

export type Attempt = { readonly outcome: Outcome; readonly context: Context; readonly result: unknown }

type Options = {
  readonly timeoutMs?: number
  readonly secrets?: Record<string, string>
  readonly rules?: string
  readonly onContext?: (context: Context) => void
}

/** One attempt of a job of kind `http`, with a test context. `result` is what it stored, parsed. */
export const attempt = async (http: Record<string, unknown>, options: Options = {}): Promise<Attempt> => {
  let kept: string | null = null
  const keepResult = async ({ content }: { content: string | Uint8Array }): Promise<NewResult> => {
    const data = Buffer.from(content)
    kept = data.toString()
    const sha256 = createHash('sha256').update(data).digest('hex')
    return { format: 'json', bytes: data.length, sha256, keptMs: null, content: { data } }
  }
  const context = createContext({ secrets: options.secrets ?? {}, keepResult })
  options.onContext?.(context)
  const executor = createHttpExecutor({ addressRules: parseAddressRules(options.rules ?? '127.0.0.0/8') })
  const job = { ...claimedJob({ http }), kind: 'http' as const, timeoutMs: options.timeoutMs ?? 60_000 }
  const outcome = await executor.run(job, context)
  return { outcome, context, result: kept === null ? null : JSON.parse(kept) }
}
