/**
 * The launcher: a small process beside the server that starts commands, tracks their processes, and kills them when ordered to, when their lease expires
 * (a hung server does not renew) or when the server is gone. It imports little, so that it stays small and starts fast.
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

/** How often leases are checked, and with tracking containment also processes. */
const WATCH_MS = 250

/** Limits the wait for orphans at the end. */
const MOST_LOOKS = 1000

const main = async (settings: LauncherSettings): Promise<void> => {
  closeInherited()
  // Ignore signals sent to the whole process group or service: the server handles them and lets its jobs finish.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {})
  const strays = await sweepStrays(settings)
  const record = openRecord(settings.stateDir)

  let commands: Commands | null = null
  const spawner = await createSpawner(settings.spawner, {
    user: settings.user,
    onExit: (pid, exit) => commands?.childEnded(pid, exit),
  })
  // Orphans are adopted in any case. Without cgroups, only tracking finds out whose they are.
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
      // A cgroup outlives this process and lists its members, so no record is needed.
      if (containment.kind === 'tracking') record.add({ pid, startedAt: readProcess(pid)?.startedAt ?? 0 })
    },
  })
  watch({ commands, tracking, containment, record })
  listen({ commands, tracking, settings })
  flushCompileCache()
  const limited = containment.limited || (settings.user !== null && (await limitUser(settings)))
  report({ is: 'ready', spawner: spawner.name, containment: containment.kind, strays, limited })
}

/** Node opens everything with close-on-exec. A descriptor without it was inherited and would be passed on to every command. */
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
    // The descriptor used for the listing itself.
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

/** Both spawners are loaded on demand, to keep the launcher small. */
const createPortable = async (options: SpawnerOptions): Promise<Spawner> => {
  const { createPortableSpawner } = await import('./portable-spawner.ts')
  return createPortableSpawner(options)
}

const limitUser = async ({ maxProcesses }: LauncherSettings): Promise<boolean> => {
  const { limitUserProcesses } = await import('./process-limit.ts')
  return limitUserProcesses(maxProcesses)
}

/** The best available method that also limits the number of processes, or else the best available. */
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

/** Accepts orders until the server closes the pipe or dies. No process of its jobs may then live on. */
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
    // The children of an orphan are adopted in turn.
    for (let looks = 0; looks < MOST_LOOKS && tracking.endOrphans() > 0; looks++) await pause(5)
    removeCgroups(settings.instanceId)
    process.exit(0)
  })
}

main(JSON.parse(process.argv[2]!) as LauncherSettings).catch(error => {
  writeSync(2, `${(error as Error).message}\n`)
  process.exit(1)
})
