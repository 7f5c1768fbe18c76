/**
 * What the server and its launcher say to each other: JSON, one message a line, over the launcher's standard input and
 * output. Each side collects what it has to say in a turn of its event loop into one write.
 */

/** How the launcher is set up: its first argument, as JSON. */
export type LauncherSettings = {
  /** Marks processes of this installation over restarts of server and launcher. */
  readonly instanceId: string
  /** A directory of mode 0700 for the record of started processes. */
  readonly stateDir: string
  readonly spawner: 'auto' | 'native' | 'portable'
  readonly containment: ContainmentChoice
  /** null: commands run as the user of the server. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  readonly maxProcesses: number
}

/** How the processes of a command are held together: `launcher/containment.ts`. */
export type ContainmentKind = 'cgroup' | 'pids-cgroup' | 'tracking' | 'group'
export type ContainmentChoice = 'auto' | ContainmentKind

/** To the launcher. A ticket names one started command between the two; `deadline` is `systemTime()` in ms. */
export type Order =
  | StartOrder
  /** SIGTERM to every process of the command. */
  | { readonly do: 'terminate'; readonly ticket: number }
  /** SIGKILL to every process of the command, until none is left. */
  | { readonly do: 'kill'; readonly ticket: number }
  | { readonly do: 'renew'; readonly tickets: readonly number[]; readonly deadline: number }

export type StartOrder = {
  readonly do: 'start'
  readonly ticket: number
  /** Value of `COOKIE_VARIABLE` in the command's environment. */
  readonly cookie: string
  readonly argv: readonly [string, ...string[]]
  readonly environment: Readonly<Record<string, string>>
  readonly workingDir: string
  /** null: /dev/null. */
  readonly stdin: string | null
  /** FIFOs whose read ends the server has opened. */
  readonly stdout: string
  readonly stderr: string
  /** Without a renewal until then the command is killed; null: never. */
  readonly deadline: number | null
  /** The main process is a sandbox's own: SIGTERM is for what runs inside. */
  readonly sandboxed: boolean
}

/** From the launcher. */
export type Report =
  /** Strays of a former life are dead; orders are taken. */
  | {
      readonly is: 'ready'
      readonly spawner: 'native' | 'portable'
      readonly containment: ContainmentKind
      readonly strays: number
      readonly limited: boolean
    }
  /** The streams of the command are open. */
  | { readonly is: 'started'; readonly ticket: number; readonly pid: number }
  /** It could not be started; `error` is the system's code. */
  | {
      readonly is: 'refused'
      readonly ticket: number
      readonly error: string
      readonly what: 'program' | 'working_dir'
    }
  /** The main process has ended and nothing of the command is left. */
  | EndReport

export type EndReport = {
  readonly is: 'ended'
  readonly ticket: number
  readonly exitCode: number | null
  readonly signal: string | null
  /** What ended it, when it did not end by itself: an order, or a lease that ran out. */
  readonly cause: 'order' | 'lease' | null
  /** Processes that could not be killed within the bound (uninterruptible sleep). */
  readonly left: number
}

/** Name of the variable that marks every process of a command, unless it clears its environment. */
export const COOKIE_VARIABLE = 'MILLRACE_PROCESS_COOKIE'

/** Milliseconds of the system's monotonic clock: the same for all processes of a machine (CLOCK_MONOTONIC). */
export const systemTime = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

/** Collects messages of a turn of the event loop into one write. */
export const createSender = <Message>(write: (text: string) => void): ((message: Message) => void) => {
  let waiting = ''
  const flush = (): void => {
    const text = waiting
    waiting = ''
    write(text)
  }
  return message => {
    if (waiting === '') setImmediate(flush)
    waiting += `${JSON.stringify(message)}\n`
  }
}

/** Cuts what comes in into messages. */
export const createReceiver = <Message>(receive: (message: Message) => void): ((chunk: string) => void) => {
  let parts: string[] = []
  return chunk => {
    let start = 0
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      const line = chunk.slice(start, end)
      start = end + 1
      const whole = parts.length === 0 ? line : parts.join('') + line
      parts = []
      receive(JSON.parse(whole) as Message)
    }
    if (start < chunk.length) parts.push(chunk.slice(start))
  }
}
