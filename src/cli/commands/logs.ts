import { followLog } from '../client/follow-log.ts'
import type { LogLineAnswer } from '../client/job-answer.ts'
import { getJob, jobPath } from '../client/jobs.ts'
import { readNdjson } from '../client/ndjson.ts'
import { call, receive } from '../client/request.ts'
import { findServer, type ServerAddress } from '../client/server-address.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { onInterrupt } from '../interrupt.ts'
import { withTimestamp, writeJsonLines, writeLines } from '../log-output.ts'
import { count } from '../option-value.ts'
import { noteLost } from '../terminal/note.ts'

/** What the API gives at once. */
const LARGEST_TAIL = 10_000

type LogsOptions = {
  readonly follow?: boolean
  readonly lines?: number
  readonly timestamps?: boolean
  readonly json?: boolean
}

type Log = {
  readonly server: ServerAddress
  readonly jobId: string
  readonly print: (lines: readonly LogLineAnswer[]) => Promise<void>
  readonly onLost: () => void
}

/** `millrace logs ID`: stdout to stdout, stderr to stderr; everything, the last lines, or live until the end. */
export const logs: Define = (command, context, finish) => {
  command
    .argument('<id>', 'id of the job')
    .option('-f, --follow', 'keep printing new lines until the job has ended')
    .option('-n, --lines <n>', 'start with this many of the last lines', count)
    .option('-t, --timestamps', 'print the time before each line')
    .option('--json', 'print one JSON object per line, all to standard output')
    .action(async (jobId: string, options: LogsOptions) => {
      const log: Log = {
        server: findServer(context),
        jobId,
        print: printer(context, options),
        onLost: noteLost(context),
      }
      if (options.lines !== undefined && options.lines > LARGEST_TAIL)
        throw new CliFailure(`-n prints at most ${LARGEST_TAIL} lines; without it the whole log is printed`, {
          exitCode: EXIT.usage,
        })
      if (options.follow) finish(await follow(log, options.lines))
      else if (options.lines !== undefined) await printTail(log, options.lines)
      else await printAll(log)
    })
}

const printer = (context: CliContext, options: LogsOptions): Log['print'] => {
  if (options.json) return lines => writeJsonLines(context, lines)
  const form = options.timestamps ? withTimestamp(context) : undefined
  return lines => writeLines(context, lines, form)
}

/** Prints the last lines and returns the number of the last one, 0 if there is none. */
const printTail = async ({ server, jobId, print }: Log, tail: number): Promise<number> => {
  const page = await call<{ lines: readonly LogLineAnswer[] }>(server, {
    path: jobPath(jobId, '/logs'),
    query: { tail },
  })
  await print(page.lines)
  return page.lines.at(-1)?.seq ?? 0
}

/** Prints while downloading: a log may be larger than memory. */
const printAll = async ({ server, jobId, print }: Log): Promise<void> => {
  const headers = { accept: 'application/x-ndjson' }
  const content = receive(server, { path: jobPath(jobId, '/logs'), headers })
  for await (const lines of readNdjson<LogLineAnswer>(content)) await print(lines)
}

/** Ctrl-C stops following; the job goes on. */
const follow = async (log: Log, lines: number | undefined): Promise<number> => {
  const leave = new AbortController()
  const stopListening = onInterrupt(() => leave.abort())
  try {
    // Fails at once if there is no such job or no server, instead of trying to connect for minutes.
    await getJob(log.server, log.jobId)
    const from = lines === undefined ? 1 : (await printTail(log, lines)) + 1
    const status = await followLog({
      ...log,
      from,
      signal: leave.signal,
      onLines: log.print,
      onLost: log.onLost,
    })
    return status === null ? EXIT.interrupted : EXIT.ok
  } finally {
    stopListening()
  }
}
