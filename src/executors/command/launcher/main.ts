/**
 * The launcher: a small process beside the server that starts commands, knows their processes, and ends them when told to,
 * when their lease runs out (a server that hangs does not renew) or when the server is gone. It imports little, so that
 * it stays small and starts fast.
 */
import { closeSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type ContainmentKind,
  createReceiver,
  createSender,
  type LauncherSettings,
  type Order,
  type Report,
} from '../launch-protocol.ts'
import { openCgroups, removeCgroups } from './cgroup.ts'
import { type Commands, createCommands } from './commands.ts'
import type { Containment } from './containment.ts'
import { createProcessGroups } from './process-group.ts'
import { readProcess } from './process-table.ts'
import { openRecord } from './record.ts'
import type { Spawner, SpawnerOptions } from './spawner.ts'
import { sweepStrays } from './sweep.ts'
import { createTracking, type Tracking } from './tracking.ts'

/** How often leases are looked at, and processes where nothing else holds them together. */
const WATCH_MS = 250

/** Bounds the wait for orphans at the end. */
const MOST_LOOKS = 1000

const main = async (settings: LauncherSettings): Promise<void> => {
  closeInherited()
  // A signal to the whole process group or service is the server's to understand: it lets its jobs finish.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {})
  const strays = await sweepStrays(settings)
  const record = openRecord(settings.stateDir)

  let commands: Commands | null = null
  const spawner = await createSpawner(settings.spawner, {
    user: settings.user,
    onExit: (pid, exit) => commands?.childEnded(pid, exit),
  })
  // Orphans are adopted in every case; only this finds whose they are where there are no cgroups.
  const tracking = createTracking({ adopts: spawner.adopts })
  const containment = chooseContainment(settings, tracking)
  const report = createSender<Report>(text => {
    process.stdout.write(text)
  })
  commands = createCommands({
    spawner,
    containment,
    report,
    onStarted: pid => {
      // A cgroup outlives this process and names its members: no note is needed.
      if (containment.kind === 'tracking') record.add({ pid, startedAt: readProcess(pid)?.startedAt ?? 0 })
    },
  })
  watch({ commands, tracking, containment, record })
  listen({ commands, tracking, settings })
  flushCompileCache()
  const limited = containment.limited || (settings.user !== null && (await limitUser(settings)))
  report({ is: 'ready', spawner: spawner.name, containment: containment.kind, strays, limited })
}

/** Node opens everything with close-on-exec: what lacks it came from outside and would go on to every command. */
const closeInherited = (): void => {
  if (process.platform !== 'linux') return
  for (const descriptor of readdirSync('/proc/self/fd').map(Number)) {
    if (descriptor > 2 && isInherited(descriptor)) closeSync(descriptor)
  }
}

const O_CLOEXEC = 0o2000000

const isInherited = (descriptor: number): boolean => {
  try {
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    // The descriptor that listed them.
    return false
  }
}

const createSpawner = async (choice: LauncherSettings['spawner'], options: SpawnerOptions): Promise<Spawner> => {
  if (choice === 'portable' || (choice === 'auto' && process.platform !== 'linux')) return createPortable(options)
  try {
    const { createNativeSpawner } = await import('./native-spawner.ts')
    return createNativeSpawner(options)
  } catch (error) {
    if (choice === 'native') throw error
    return createPortable(options)
  }
}

/** Loaded when needed, as the other: a small launcher has what it uses. */
const createPortable = async (options: SpawnerOptions): Promise<Spawner> => {
  const { createPortableSpawner } = await import('./portable-spawner.ts')
  return createPortableSpawner(options)
}

const limitUser = async ({ maxProcesses }: LauncherSettings): Promise<boolean> => {
  const { limitUserProcesses } = await import('./process-limit.ts')
  return limitUserProcesses(maxProcesses)
}

/** The best there is that also bounds the number of processes; else the best there is. */
const chooseContainment = (settings: LauncherSettings, tracking: Tracking): Containment => {
  const { containment: choice } = settings
  const open = (kind: ContainmentKind): Containment | null => {
    if (kind === 'tracking') return tracking
    return kind === 'group' ? createProcessGroups() : openCgroups(kind, settings)
  }
  if (choice !== 'auto') {
    const chosen = open(choice)
    if (chosen === null) throw new Error(`containment ${choice} is not available here`)
    return chosen
  }
  if (process.platform !== 'linux') return createProcessGroups()
  const cgroup = open('cgroup')
  if (cgroup?.limited) return cgroup
  return open('pids-cgroup') ?? cgroup ?? tracking
}

type Watched = {
  readonly commands: Commands
  readonly tracking: Tracking
  readonly containment: Containment
  readonly record: ReturnType<typeof openRecord>
}

const watch = ({ commands, tracking, containment, record }: Watched): void => {
  setInterval(() => {
    commands.watch()
    if (containment.kind === 'tracking') for (const member of tracking.observe()) record.add(member)
    if (commands.size > 0) return
    record.clear()
    tracking.endOrphans()
  }, WATCH_MS)
}

type Listening = { readonly commands: Commands; readonly tracking: Tracking; readonly settings: LauncherSettings }

/** Takes orders until the server closes the pipe or dies; then nothing of its jobs may live on. */
const listen = ({ commands, tracking, settings }: Listening): void => {
  process.stdin.setEncoding('utf8')
  process.stdin.on(
    'data',
    createReceiver<Order>(order => commands.obey(order)),
  )
  // A server that is gone reads no reports.
  process.stdout.on('error', () => {})
  process.stdin.once('end', async () => {
    await commands.killAll()
    // What an orphan leaves behind is adopted in turn.
    for (let looks = 0; looks < MOST_LOOKS && tracking.endOrphans() > 0; looks++) await pause(5)
    removeCgroups(settings.instanceId)
    process.exit(0)
  })
}

main(JSON.parse(process.argv[2]!) as LauncherSettings).catch(error => {
  writeSync(2, `${(error as Error).message}\n`)
  process.exit(1)
})
