import { dlopen, getRawPointer } from 'node:ffi'
import { closeSync, constants, existsSync, openSync, statSync } from 'node:fs'

/**
 * Landlock (Linux 5.19 and later; https://docs.kernel.org/userspace-api/landlock.html): a process and its descendants give up access to the network and to
 * every file that is not listed.
 */

const CREATE_RULESET = 444n
const ADD_RULE = 445n
const RESTRICT_SELF = 446n
const VERSION = 1n
const PATH_BENEATH = 1n
const PR_SET_PDEATHSIG = 1
const PR_SET_NO_NEW_PRIVS = 38
const SIGKILL = 9n
const O_PATH = 0o10000000

const EXECUTE = 1n << 0n
const WRITE_FILE = 1n << 1n
const READ_FILE = 1n << 2n
const READ_DIR = 1n << 3n
const REFER = 1n << 13n
const TRUNCATE = 1n << 14n
const IOCTL_DEV = 1n << 15n
const READ = EXECUTE | READ_FILE | READ_DIR
/** Access rights that are valid in a rule for a file rather than a folder. */
const OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

/** Without REFER (version 2) files cannot be moved between folders, which chDB does with parts of tables. */
const OLDEST_VERSION = 2n

const CALLS = {
  syscall: { arguments: ['i64', 'i64', 'i64', 'i64', 'i64'], return: 'i64' },
  prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
} as const

export type Reach = {
  /** Files and folders that may be read; missing ones are skipped. */
  readonly readable: readonly string[]
  /** Files that may be read and written. */
  readonly devices: readonly string[]
  readonly writable: readonly string[]
}

/** Restricts this thread permanently. Throws if the kernel does not support it; then nothing is restricted. */
export const restrict = ({ readable, devices, writable }: Reach): void => {
  const libc = dlopen(null, CALLS).functions
  const version = libc.syscall(CREATE_RULESET, 0n, 0n, VERSION, 0n)
  if (version < OLDEST_VERSION) throw new Error('the kernel has no Landlock of version 2 or later')
  const all = allRights(version)
  const ruleset = createRuleset(libc, version, all)
  const allow = (path: string, rights: bigint): void => {
    if (existsSync(path)) addRule({ libc, ruleset, path, rights: rights & all })
  }
  for (const path of readable) allow(path, READ)
  for (const path of devices) allow(path, READ_FILE | WRITE_FILE)
  for (const path of writable) allow(path, all)
  libc.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n)
  if (libc.syscall(RESTRICT_SELF, ruleset, 0n, 0n, 0n) !== 0n) throw new Error('the kernel refused the restriction')
  closeSync(Number(ruleset))
}

/** Makes the kernel kill this process when its parent dies, also after `execve`. */
export const dieWithParent = (): void => {
  dlopen(null, CALLS).functions.prctl(PR_SET_PDEATHSIG, SIGKILL, 0n, 0n, 0n)
}

type Libc = ReturnType<typeof dlopen<typeof CALLS>>['functions']

const allRights = (version: bigint): bigint =>
  REFER * 2n - 1n + (version >= 3n ? TRUNCATE : 0n) + (version >= 5n ? IOCTL_DEV : 0n)

/** `struct landlock_ruleset_attr`: files, TCP (since version 4), abstract sockets and signals (since 6). */
const createRuleset = (libc: Libc, version: bigint, all: bigint): bigint => {
  const attributes = Buffer.alloc(24)
  attributes.writeBigUInt64LE(all, 0)
  attributes.writeBigUInt64LE(3n, 8)
  attributes.writeBigUInt64LE(3n, 16)
  const size = version >= 6n ? 24n : version >= 4n ? 16n : 8n
  const ruleset = libc.syscall(CREATE_RULESET, addressOf(attributes), size, 0n, 0n)
  if (ruleset < 0n) throw new Error('the kernel refused a Landlock ruleset')
  return ruleset
}

const addRule = (input: { libc: Libc; ruleset: bigint; path: string; rights: bigint }): void => {
  const { libc, ruleset, path, rights } = input
  const descriptor = openSync(path, O_PATH | constants.O_RDONLY)
  const rule = Buffer.alloc(12)
  rule.writeBigUInt64LE(statSync(path).isDirectory() ? rights : rights & OF_FILES, 0)
  rule.writeInt32LE(descriptor, 8)
  const result = libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, addressOf(rule), 0n)
  closeSync(descriptor)
  if (result !== 0n) throw new Error(`the kernel refused a Landlock rule for ${path}`)
}

const addressOf = (buffer: Buffer): bigint => BigInt(getRawPointer(buffer))
