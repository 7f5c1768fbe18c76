import { closeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BASE_PATH, COOKIE_VARIABLE, leaseDeadline } from '../launched-process.ts'
import { createFunctionHost, type FunctionHost } from './function-host.ts'
import type { HostEnd, HostLauncher, HostUser } from './host-launcher.ts'
import { type HostSlots, openPipes } from './host-slots.ts'

/** What is needed to start hosts. */
export type HostWorkshop = {
  readonly launcher: HostLauncher
  readonly user: HostUser
  readonly slots: HostSlots
  readonly instanceId: string
  readonly functionsDir: string
  /** Wraps a host's command in a sandbox. null: no sandbox. */
  readonly sandbox: WrapHost | null
  /** Heap limit of one host in MiB. */
  readonly heapMegabytes: number
}

export type WrapHost = (input: {
  readonly argv: readonly [string, ...string[]]
  readonly workingDir: string
  /** Files and folders that must be visible wherever they are. */
  readonly shown: readonly string[]
  /** Folders that must not be visible. */
  readonly hidden: readonly string[]
}) => readonly [string, ...string[]]

/** TypeScript when run from source, JavaScript in the built package. */
const ENTRY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './host/main.ts' : './host/main.js', import.meta.url),
)
/** The folder of everything that the host's program loads. */
const PROGRAM = fileURLToPath(new URL('.', import.meta.url))

/** Starts a host. If it cannot run, it ends by itself, and nothing of it is left, including its directory. */
export const startHost = async (workshop: HostWorkshop): Promise<FunctionHost> => {
  const { launcher, slots } = workshop
  const slot = await slots.take()
  const directory = slots.makeDirectory()
  const pipes = openPipes(slot)
  try {
    const argv = toArgv(workshop, { slot, directory })
    const started = launcher.run({
      cookie: cookieOf(workshop, directory),
      argv,
      environment: toEnvironment(workshop, directory),
      workingDir: workshop.sandbox === null ? directory : '/',
      stdin: null,
      stdout: slot.stdout,
      stderr: slot.stderr,
      deadline: leaseDeadline(0),
      sandboxed: workshop.sandbox !== null,
    })
    return createFunctionHost({ pipes, started, directory, cleanUp: end => cleanUp(slots, { end, slot, directory }) })
  } catch (error) {
    for (const descriptor of Object.values(pipes)) closeSync(descriptor)
    throw error
  }
}

type Place = { readonly slot: Awaited<ReturnType<HostSlots['take']>>; readonly directory: string }

const cleanUp = async (slots: HostSlots, { end, slot, directory }: Place & { end: HostEnd }): Promise<void> => {
  if (end.is !== 'ended' || end.left === 0) slots.giveBack(slot)
  await slots.removeDirectory(directory)
}

const toArgv = (
  { heapMegabytes, sandbox, functionsDir, slots }: HostWorkshop,
  { slot, directory }: Place,
): readonly [string, ...string[]] => {
  const argv = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    `--max-old-space-size=${heapMegabytes}`,
    ENTRY,
    JSON.stringify({ orders: slot.orders, reports: slot.reports, directory }),
  ] as const
  if (sandbox === null) return argv as readonly [string, ...string[]]
  const shown = [process.execPath, PROGRAM, functionsDir, slot.orders, slot.reports]
  return sandbox({ argv: argv as readonly [string, ...string[]], workingDir: directory, shown, hidden: [slots.path] })
}

const cookieOf = ({ instanceId }: HostWorkshop, directory: string): string => `${instanceId}/${directory}`

/** A small clean base, never the server's own environment. Items add theirs. */
const toEnvironment = (workshop: HostWorkshop, directory: string): Readonly<Record<string, string>> => ({
  PATH: BASE_PATH,
  HOME: workshop.user.home,
  LANG: 'C.UTF-8',
  TMPDIR: directory,
  [COOKIE_VARIABLE]: cookieOf(workshop, directory),
})
