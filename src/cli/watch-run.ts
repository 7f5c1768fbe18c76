import { setTimeout as delay } from 'node:timers/promises'
import { patiently } from './client/patiently.ts'
import type { ServerAddress } from './client/server-address.ts'
import { getRun, type RunAnswer } from './client/workflows.ts'
import type { CliContext } from './context.ts'
import { onInterrupt } from './interrupt.ts'
import { CLEAR_LINE } from './terminal/bar.ts'
import { noteLost, notes } from './terminal/note.ts'
import { countsText, runProgressLine } from './terminal/run-progress.ts'

type Watch = {
  readonly server: ServerAddress
  readonly runId: string
  readonly context: CliContext
  /** Shows progress: a bar on a terminal, otherwise a line for each change of status. */
  readonly progress: boolean
}

/** Frequent at first, for short runs; then as often as a bar needs. */
const SHORTEST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 1000

/** Watches a run until it ends, and resolves with it. Ctrl-C stops watching (null), and the run goes on. */
export const watchRun = async (watch: Watch): Promise<RunAnswer | null> => {
  const leave = new AbortController()
  const { signal } = leave
  const stopListening = onInterrupt(() => leave.abort())
  const show = progressPrinter(watch)
  const onLost = noteLost(watch.context)
  try {
    for (let pauseMs = SHORTEST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
      const run = await patiently(() => getRun(watch.server, watch.runId, { signal }), { signal, onLost })
      show(run)
      if (run.finished_at !== null) return run
      await delay(pauseMs, undefined, { signal })
    }
  } catch (error) {
    // The bar stays; the next message starts below it.
    if (watch.progress && watch.context.stderr.isTTY) watch.context.stderr.write('\n')
    notes(watch.context)(`the run goes on; see it with: millrace runs show ${watch.runId}`)
    if (!signal.aborted) throw error
    return null
  } finally {
    stopListening()
  }
}

const progressPrinter = ({ context, progress, runId }: Watch): ((run: RunAnswer) => void) => {
  const { stderr } = context
  const note = notes(context)
  let shown = ''
  return run => {
    if (!progress) return
    if (stderr.isTTY) {
      const line = runProgressLine({ counts: run.counts, label: run.status, columns: stderr.columns || 80 })
      stderr.write(`${CLEAR_LINE}${line}${run.finished_at === null ? '' : '\n'}`)
    } else if (run.status !== shown) {
      const counts = countsText(run.counts)
      note(`run ${runId} ${run.status}${counts === '' ? '' : `: ${counts}`}`)
    }
    shown = run.status
  }
}
