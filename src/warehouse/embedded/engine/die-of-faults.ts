import { dlopen, getRawPointer } from 'node:ffi'
import { constants } from 'node:os'

const { SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS } = constants.signals

const CALLS = {
  signal: { arguments: ['i32', 'u64'], return: 'u64' },
  setrlimit: { arguments: ['i32', 'u64'], return: 'i32' },
} as const

/** `SIG_DFL` of signal(2). */
const DEFAULT = 0n
/** Of setrlimit(2). */
const RLIMIT_CORE = 4

/**
 * From now on a fault within chDB ends the process, as it ends any other; to be called when chDB has started. Its own handlers would keep the process as
 * it is: the thread that was at fault waits for ever, and every later statement is refused ("The server is shutting down due to a fatal error").
 */
export const dieOfFaults = (): void => {
  const libc = dlopen(null, CALLS).functions
  // What is in the engine's memory belongs to users, and is gigabytes.
  libc.setrlimit(RLIMIT_CORE, BigInt(getRawPointer(Buffer.alloc(16))))
  for (const signal of [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS]) libc.signal(signal, DEFAULT)
}
