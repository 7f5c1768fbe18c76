import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * Where a program may lie: itself when it has a slash, else each place on the command's own PATH that has a file of that
 * name, as `execvp(3)` searches. Whether it may be executed only the system can say.
 */
export const findProgram = (
  name: string,
  { path, workingDir }: { path: string; workingDir: string },
): readonly string[] => {
  if (name === '') return []
  if (name.includes('/')) return [name]
  return path
    .split(':')
    .map(directory => join(directory === '' ? '.' : directory, name))
    .map(candidate => resolve(workingDir, candidate))
    .filter(isFile)
}

/** False, too, of what cannot be looked at: a name that is too long, a directory that cannot be entered. */
export const isFile = (path: string): boolean => {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}
