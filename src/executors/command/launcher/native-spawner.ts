import { dlopen, getRawPointer } from 'node:ffi'
import { arch, constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { Program, Spawned, Spawner, SpawnerOptions } from './spawner.ts'

/**
 * Uses `node:ffi` (experimental, Linux) for `posix_spawn`, which does not copy the parent and so does not get slower as the parent grows, and for `prctl`,
 * which makes orphans of commands children of this process.
 *
 * Only this thread reaps, and only this thread sends signals. So an ended process keeps its pid until this thread has noticed, and no reused pid is ever
 * signalled.
 */

const SPAWN = { RESETIDS: 0x01, SETSIGDEF: 0x04, SETSIGMASK: 0x08, SETSID: 0x80 }
const PR_SET_CHILD_SUBREAPER = 36
const PR_SET_NO_NEW_PRIVS = 38
const WNOHANG = 1
/** Enough for the structs of glibc and musl: attributes 336, file actions 80, signal set 128 bytes. */
const STRUCT_BYTES = 512

const FUNCTIONS = {
  prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
  waitpid: { arguments: ['i32', 'buffer', 'i32'], return: 'i32' },
  syscall: { arguments: ['i64', 'i64', 'i64', 'i64'], return: 'i64' },
  posix_spawn: { arguments: ['buffer', 'string', 'buffer', 'buffer', 'pointer', 'pointer'], return: 'i32' },
  posix_spawnattr_init: { arguments: ['buffer'], return: 'i32' },
  posix_spawnattr_setflags: { arguments: ['buffer', 'i16'], return: 'i32' },
  posix_spawnattr_setsigdefault: { arguments: ['buffer', 'buffer'], return: 'i32' },
  posix_spawnattr_setsigmask: { arguments: ['buffer', 'buffer'], return: 'i32' },
  posix_spawn_file_actions_init: { arguments: ['buffer'], return: 'i32' },
  posix_spawn_file_actions_adddup2: { arguments: ['buffer', 'i32', 'i32'], return: 'i32' },
  posix_spawn_file_actions_addchdir_np: { arguments: ['buffer', 'string'], return: 'i32' },
  posix_spawn_file_actions_destroy: { arguments: ['buffer'], return: 'i32' },
} as const

/** glibc 2.34. Elsewhere descriptors are closed by their close-on-exec flags, which Node sets on everything it opens. */
const CLOSE_FROM = {
  posix_spawn_file_actions_addclosefrom_np: { arguments: ['buffer', 'i32'], return: 'i32' },
} as const

type Libc = ReturnType<typeof loadLibc>
const loadLibc = () => dlopen(null, FUNCTIONS).functions

const loadCloseFrom = () => {
  try {
    return dlopen(null, CLOSE_FROM).functions.posix_spawn_file_actions_addclosefrom_np
  } catch {
    return null
  }
}

/** Throws if `node:ffi` or one of the functions is missing. */
export const createNativeSpawner = ({ user, onExit }: SpawnerOptions): Spawner => {
  const libc = loadLibc()
  const closeFrom = loadCloseFrom()
  const identity = user === null ? null : createIdentity(libc, user)
  const attributes = createAttributes(libc, identity !== null)
  const texts = createTextTable()
  const pid = Buffer.alloc(STRUCT_BYTES)
  const actions = Buffer.alloc(STRUCT_BYTES)

  if (libc.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) !== 0) throw new Error('prctl refused to make a subreaper')
  if (identity !== null) libc.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n)
  process.on('SIGCHLD', () => reap(libc, onExit))

  const addActions = ({ stdio, workingDir }: Program): void => {
    libc.posix_spawn_file_actions_init(actions)
    libc.posix_spawn_file_actions_addchdir_np(actions, workingDir)
    stdio.forEach((descriptor, target) => {
      libc.posix_spawn_file_actions_adddup2(actions, descriptor, target)
    })
    closeFrom?.(actions, 3)
  }

  const spawn = (program: Program): Spawned => {
    const [argv, environment] = texts.write([
      program.argv,
      Object.entries(program.environment).map(([name, value]) => `${name}=${value}`),
    ])
    addActions(program)
    identity?.become()
    try {
      const error = libc.posix_spawn(pid, program.path, actions, attributes, argv!, environment!)
      return error === 0 ? { pid: pid.readInt32LE(0) } : { error: getSystemErrorName(-error) }
    } finally {
      identity?.restore()
      libc.posix_spawn_file_actions_destroy(actions)
    }
  }

  return { name: 'native', adopts: true, spawn }
}

/** Attributes shared by all commands: a new session, and no blocked or ignored signals (Node itself ignores SIGPIPE). */
const createAttributes = (libc: Libc, resetIds: boolean): Buffer => {
  const attributes = Buffer.alloc(STRUCT_BYTES)
  libc.posix_spawnattr_init(attributes)
  const ids = resetIds ? SPAWN.RESETIDS : 0
  libc.posix_spawnattr_setflags(attributes, SPAWN.SETSID | SPAWN.SETSIGDEF | SPAWN.SETSIGMASK | ids)
  libc.posix_spawnattr_setsigmask(attributes, Buffer.alloc(STRUCT_BYTES))
  const ignored = Buffer.alloc(STRUCT_BYTES)
  for (const signal of [constants.signals.SIGPIPE, constants.signals.SIGXFSZ])
    ignored.writeUInt32LE(ignored.readUInt32LE(0) | (1 << (signal - 1)), 0)
  libc.posix_spawnattr_setsigdefault(attributes, ignored)
  return attributes
}

/** If a signal has several names, the first is the usual one: SIGABRT, not SIGIOT. */
const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals)
    .map(([name, number]) => [number as number, name] as const)
    .reverse(),
)

const reap = (libc: Libc, onExit: SpawnerOptions['onExit']): void => {
  const status = Buffer.alloc(STRUCT_BYTES)
  for (let pid = libc.waitpid(-1, status, WNOHANG); pid > 0; pid = libc.waitpid(-1, status, WNOHANG)) {
    const word = status.readInt32LE(0)
    const signal = word & 0x7f
    onExit(
      pid,
      signal === 0
        ? { exitCode: (word >> 8) & 0xff, signal: null }
        : { exitCode: null, signal: SIGNAL_NAMES.get(signal) ?? `SIG${signal}` },
    )
  }
}

/** Arrays of C strings in one reused block, so that a command needs no allocation. */
const createTextTable = () => {
  let block = Buffer.alloc(256 * 1024)

  const ensure = (bytes: number): void => {
    if (block.length < bytes) block = Buffer.alloc(bytes * 2)
  }

  /** Returns the addresses of the arrays, each terminated by NULL. Valid until the next call. */
  const write = (lists: readonly (readonly string[])[]): readonly bigint[] => {
    const pointers = lists.reduce((sum, list) => sum + list.length + 1, 0)
    // A UTF-16 code unit takes at most 3 bytes in UTF-8.
    ensure(pointers * 8 + lists.flat().reduce((sum, text) => sum + text.length * 3 + 1, 0))
    const base = getRawPointer(block)
    let slot = 0
    let offset = pointers * 8
    return lists.map(list => {
      const address = base + BigInt(slot)
      for (const text of list) {
        block.writeBigUInt64LE(base + BigInt(offset), slot)
        offset += block.write(text, offset)
        block[offset++] = 0
        slot += 8
      }
      block.writeBigUInt64LE(0n, slot)
      slot += 8
      return address
    })
  }
  return { write }
}

/** System call numbers of `setresuid`, `setresgid` and `setgroups` by architecture. */
const SYSCALLS: Readonly<Record<string, { uid: bigint; gid: bigint; groups: bigint }>> = {
  x64: { uid: 117n, gid: 119n, groups: 116n },
  arm64: { uid: 147n, gid: 149n, groups: 159n },
}
const KEEP = -1n

/**
 * `posix_spawn` cannot change the user, but it can set the child's effective ids to its real ones (RESETIDS). So this thread takes the user's *real* ids
 * around the call and stays effectively root; exec then sets the saved ids too. Raw system calls change only this thread, whereas those of the C library
 * would stop and change all threads. In the meantime (some 100 µs) the user could kill this process, which costs no more than any other death of a launcher.
 */
const createIdentity = (libc: Libc, { uid, gid }: { uid: number; gid: number }) => {
  const numbers = SYSCALLS[arch()]
  if (numbers === undefined) throw new Error(`no system call numbers for ${arch()}`)
  const call = (number: bigint, ...values: [bigint, bigint, bigint]): void => {
    if (libc.syscall(number, ...values) !== 0n) throw new Error(`system call ${number} was refused`)
  }
  // The launcher needs no supplementary groups itself.
  call(numbers.groups, 0n, 0n, 0n)
  return {
    become: () => {
      call(numbers.gid, BigInt(gid), KEEP, KEEP)
      call(numbers.uid, BigInt(uid), KEEP, KEEP)
    },
    restore: () => {
      call(numbers.uid, 0n, KEEP, KEEP)
      call(numbers.gid, 0n, KEEP, KEEP)
    },
  }
}
