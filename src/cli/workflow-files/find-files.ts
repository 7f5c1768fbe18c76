import type { Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { fileFault } from '../local-file.ts'

const EXTENSIONS = new Set(['.yaml', '.yml', '.json'])

/**
 * The workflow files at or below `places`, without duplicates, sorted within each directory and named as the user would name them. Directories are searched
 * recursively, except for names that start with a dot; a file is accepted whatever its name. Throws `CliFailure` for a place that is missing or cannot be read.
 */
export const findFiles = async (places: readonly string[], directory: string): Promise<readonly string[]> => {
  const found = new Map<string, string>()
  for (const place of places)
    for (const file of await filesAt(place, directory)) {
      const path = resolve(directory, file)
      if (!found.has(path)) found.set(path, file)
    }
  return [...found.values()]
}

const filesAt = async (place: string, directory: string): Promise<readonly string[]> => {
  const path = resolve(directory, place)
  return (await find(path, place)).isDirectory() ? filesBelow(path, place) : [place]
}

const find = (path: string, shown: string): Promise<Stats> =>
  stat(path).catch((error: Error) => {
    throw fileFault(shown, error)
  })

const filesBelow = async (path: string, shown: string): Promise<readonly string[]> => {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: Error) => {
    throw fileFault(shown, error)
  })
  const visible = entries.filter(entry => !entry.name.startsWith('.')).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const files: string[] = []
  for (const entry of visible) {
    const inner = join(path, entry.name)
    const name = join(shown, entry.name)
    // Links to files are followed, as in a mounted ConfigMap, but not links to directories, which could form a cycle.
    if (entry.isDirectory()) files.push(...(await filesBelow(inner, name)))
    else if (EXTENSIONS.has(extname(entry.name)) && (await find(inner, name)).isFile()) files.push(name)
  }
  return files
}
