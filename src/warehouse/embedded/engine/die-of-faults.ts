import { dlopen, getRawPointer } from 'node:ffi'
import { constants } from 'node:os'

const { SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS } = constants.signals

const CALLS = {
  signal: { arguments: ['i32', 'u64'], return: 'u64' },
  setrlimit: { arguments: ['i32', 'u64'], return: 'i32' },
} as const

/** `SIG_DFL` in signal(2). */
const DEFAULT = 0n
/** From setrlimit(2). */
const RLIMIT_CORE = 4

/**
 * Restores the default signal actions, so that a fault in chDB ends the process. Call it after chDB has started. chDB's own handlers would keep the process
 * alive: the faulting thread waits forever, and every later statement is refused ("The server is shutting down due to a fatal error").
 */
export const dieOfFaults = (): void => {
  const libc = dlopen(null, CALLS).functions
  // No core dump: the engine's memory holds user data, and is gigabytes.
  libc.setrlimit(RLIMIT_CORE, BigInt(getRawPointer(Buffer.alloc(16))))
  for (const signal of [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS]) libc.signal(signal, DEFAULT)
}
