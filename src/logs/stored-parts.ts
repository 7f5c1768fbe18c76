import type { LogPart } from '../model/log-line.ts'
import type { Store } from '../store/store.ts'

const PARTS_A_QUERY = 100

/** All stored parts of a job's log with lines from `fromSeq` on, in order. Empty if there is no such job. */
export async function* storedParts(
  store: Store,
  input: { readonly workspace: string; readonly jobId: string; readonly fromSeq?: number },
): AsyncGenerator<LogPart> {
  let fromSeq = input.fromSeq ?? 1
  for (;;) {
    const index = await store.listLogParts({
      workspace: input.workspace,
      jobId: input.jobId,
      fromSeq,
      limit: PARTS_A_QUERY,
    })
    if (index === null || index.parts.length === 0) return
    yield* index.parts
    fromSeq = index.parts.at(-1)!.lastSeq + 1
  }
}

/** The seq after the last stored line of a job, or 1 if there is none. */
export const storedEnd = async (
  store: Store,
  job: { readonly workspace: string; readonly jobId: string },
): Promise<number> => {
  let end = 1
  for await (const part of storedParts(store, job)) end = part.lastSeq + 1
  return end
}
