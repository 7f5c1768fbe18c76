import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether this process may mount file systems: only root can make a disk that is really full. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0

export type SmallDisk = {
  readonly path: string
  /** Fills the remaining space. */
  fill(): void
  /** Removes the filling. */
  drain(): void
  unmount(): void
}

/** A file system in memory of that size, which can be full like a disk. */
export const mountSmallDisk = (megabytes: number): SmallDisk => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'millrace-test', path])
  const filling = join(path, 'filling')
  return {
    path,
    fill: () => {
      try {
        writeFileSync(filling, Buffer.alloc(megabytes * 1024 * 1024))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    },
    drain: () => writeFileSync(filling, ''),
    unmount: () => {
      execFileSync('umount', ['--lazy', path])
      rmdirSync(path)
    },
  }
}
