import type { Random } from './random.ts'

/** A sort of job that the chaos run submits, and how it may end. */
export type JobSort = {
  readonly name: string
  /** The body of a job whose evidence goes to `directory`. */
  body(directory: string, random: Random): JobBody
  /** Exit code of its last attempt if nothing else ends it. */
  readonly exitCode: number
  /** Whether the load cancels it after a while. */
  readonly isCancelled?: boolean
}

export type JobBody = { readonly command: string; readonly environment: { CHAOS: string; LINES: string } } & Record<
  string,
  unknown
>

/** Name of the folder with the program that strays run: nothing else on the machine has it in its command line. */
export const STRAY_PROGRAM = 'stray'

/**
 * What every job does: it writes down its attempt, holds a lock that any process of it inherits (so that a second
 * attempt sees a first that still lives), and numbers its lines. A killed process needs a moment to let go of the lock.
 */
const PROLOGUE = `
trace="$CHAOS/$MILLRACE_JOB_ID.trace"
exec 9>>"$CHAOS/$MILLRACE_JOB_ID.lock"
flock -w 0.1 9 || echo "overlap $MILLRACE_ATTEMPT" >>"$trace"
echo "start $MILLRACE_ATTEMPT" >>"$trace"
i=0; while [ $i -lt $LINES ]; do i=$((i+1)); echo "line $MILLRACE_ATTEMPT $i"; done
`
const EPILOGUE = `
echo "end $MILLRACE_ATTEMPT" >>"$trace"
`

const script = (middle: string, last = ''): string => `${PROLOGUE}${middle}${EPILOGUE}${last}`

const job = (command: string, directory: string, lines: number): JobBody => ({
  command,
  environment: { CHAOS: directory, LINES: String(lines) },
})

const pause = (random: Random): string => `sleep 0.${String(random.between(2, 60)).padStart(2, '0')}`

export const JOB_SORTS: readonly JobSort[] = [
  { name: 'quick', exitCode: 0, body: (directory, random) => job(script(''), directory, random.between(0, 5)) },
  {
    name: 'sleeper',
    exitCode: 0,
    body: (directory, random) => job(script(pause(random)), directory, random.between(0, 30)),
  },
  { name: 'talker', exitCode: 0, body: (directory, random) => job(script(''), directory, random.between(500, 1500)) },
  {
    name: 'leaves a child',
    exitCode: 0,
    body: (directory, random) => job(script('"$CHAOS/stray" 300 &'), directory, random.between(0, 5)),
  },
  {
    name: 'leaves a session',
    exitCode: 0,
    body: (directory, random) =>
      job(script(`setsid "$CHAOS/stray" 300 & ${pause(random)}`), directory, random.between(0, 5)),
  },
  {
    name: 'leaves a session without environment',
    exitCode: 0,
    body: (directory, random) =>
      job(script(`env -i setsid "$CHAOS/stray" 300 >/dev/null 2>&1 & ${pause(random)}`), directory, 1),
  },
  {
    name: 'forks twice',
    exitCode: 0,
    body: (directory, random) => job(script(`( ( "$CHAOS/stray" 300 & ) & ) ; ${pause(random)}`), directory, 1),
  },
  {
    name: 'succeeds at its second try',
    exitCode: 0,
    body: (directory, random) => ({
      ...job(
        script(`grep -q '^fail' "$trace" || { echo "fail $MILLRACE_ATTEMPT" >>"$trace"; exit 7; }`),
        directory,
        random.between(0, 5),
      ),
      retry: { maximum_attempts: 3, initial_interval: random.between(0, 300) },
    }),
  },
  { name: 'fails', exitCode: 9, body: (directory, random) => job(script(pause(random), 'exit 9'), directory, 2) },
  {
    name: 'due later',
    exitCode: 0,
    body: (directory, random) => ({
      ...job(script(''), directory, 1),
      scheduled_at: new Date(Date.now() + random.between(100, 2000)).toISOString(),
    }),
  },
  {
    name: 'cancelled',
    exitCode: 0,
    isCancelled: true,
    body: directory => job(script('"$CHAOS/stray" 4'), directory, 3),
  },
  {
    name: 'cancelled, deaf to SIGTERM',
    exitCode: 0,
    isCancelled: true,
    body: directory => ({
      ...job(script(`trap '' TERM; sleep 1; sleep 1; sleep 1; sleep 1`), directory, 3),
      grace_seconds: 0.3,
    }),
  },
]
