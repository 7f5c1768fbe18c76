import { once } from '../../../kernel/once.ts'

/** Functions of the system's library. Where one is missing, all are missing, except `splice`. */
export type LibraryCalls = {
  readonly mkfifo: (path: string, mode: number) => number
  readonly fcntl: (descriptor: number, command: number, argument: number) => number
  /** null: not on Linux. */
  readonly splice: Splice | null
}

/** splice(2) from a descriptor to another: the bytes moved, or -1. The two offsets are null pointers. */
export type Splice = (from: number, fromAt: bigint, to: number, toAt: bigint, bytes: bigint, flags: number) => bigint

/** null: functions of the system's library cannot be called. `node:ffi` is experimental. */
export const libraryCalls = once(async (): Promise<LibraryCalls | null> => {
  try {
    const { dlopen } = await import('node:ffi')
    const { mkfifo, fcntl } = dlopen(null, {
      mkfifo: { arguments: ['string', 'u32'], return: 'i32' },
      fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    }).functions
    if (process.platform !== 'linux') return { mkfifo, fcntl, splice: null }
    const { splice } = dlopen(null, {
      splice: { arguments: ['i32', 'pointer', 'i32', 'pointer', 'u64', 'u32'], return: 'i64' },
    }).functions
    return { mkfifo, fcntl, splice }
  } catch {
    return null
  }
})
