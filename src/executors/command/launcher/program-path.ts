import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * Candidate paths of a program: the name itself if it has a slash, otherwise each file of that name on the command's own PATH, as `execvp(3)` searches.
 * Only the system can tell whether it is executable.
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

/** Also false for what cannot be checked: a name that is too long, a directory that cannot be entered. */
export const isFile = (path: string): boolean => {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}
