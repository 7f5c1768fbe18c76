/**
 * The protocol between the server and its launcher: JSON, one message per line, over the launcher's stdin and stdout. Each side batches the messages of one
 * turn of its event loop into one write.
 */

/** Settings of the launcher: its first argument, as JSON. */
export type LauncherSettings = {
  /** Identifies processes of this installation, across restarts of server and launcher. */
  readonly instanceId: string
  /** A directory of mode 0700 for the record of started processes. */
  readonly stateDir: string
  readonly spawner: 'auto' | 'native' | 'portable'
  readonly containment: ContainmentChoice
  /** null: commands run as the server's user. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  readonly maxProcesses: number
}

/** How the processes of a command are contained: see `launcher/containment.ts`. */
export type ContainmentKind = 'cgroup' | 'pids-cgroup' | 'tracking' | 'group'
export type ContainmentChoice = 'auto' | ContainmentKind

/** Messages to the launcher. A ticket identifies one started command; `deadline` is a `systemTime()` in ms. */
export type Order =
  | StartOrder
  /** Sends SIGTERM to every process of the command. */
  | { readonly do: 'terminate'; readonly ticket: number }
  /** Sends SIGKILL to every process of the command until none is left. */
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
  /** Without a renewal by then, the command is killed. null: never. */
  readonly deadline: number | null
  /** The main process is the sandbox itself: SIGTERM must go to the processes inside. */
  readonly sandboxed: boolean
}

/** Messages from the launcher. */
export type Report =
  /** Leftover processes of an earlier run are dead, and orders are accepted. */
  | {
      readonly is: 'ready'
      readonly spawner: 'native' | 'portable'
      readonly containment: ContainmentKind
      readonly strays: number
      readonly limited: boolean
    }
  /** The command's streams are open. */
  | { readonly is: 'started'; readonly ticket: number; readonly pid: number }
  /** The command could not be started. `error` is the system's error code. */
  | {
      readonly is: 'refused'
      readonly ticket: number
      readonly error: string
      readonly what: 'program' | 'working_dir'
    }
  /** The main process has ended and no process of the command is left. */
  | EndReport

export type EndReport = {
  readonly is: 'ended'
  readonly ticket: number
  readonly exitCode: number | null
  readonly signal: string | null
  /** What ended it, unless it ended by itself: an order, or an expired lease. */
  readonly cause: 'order' | 'lease' | null
  /** Number of processes that could not be killed in time (uninterruptible sleep). */
  readonly left: number
}

/** Batches the messages of one turn of the event loop into one write. */
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

/** Splits incoming text into messages. */
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
