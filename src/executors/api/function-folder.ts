import { readdirSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, sep } from 'node:path'
import { closeNames } from '../../kernel/close-names.ts'

/** Finds functions by the names that jobs use. */
export interface FunctionFolder {
  /** The file of a function, with symlinks resolved. Reads the disk on each call. */
  find(name: string): FunctionFile | { readonly problem: FunctionProblem }
  /** Explains to a user what is wrong with a name, with suggestions of existing names. */
  explain(name: string): string
}

export type FunctionFile = { readonly path: string }
type FunctionProblem = 'missing' | 'bad_name' | 'outside' | 'folder'

/** In order of precedence. */
const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'] as const

/** In a folder with more files than this, `explain` does not know all names. */
const MOST_ENTRIES = 10_000
const MOST_NAMES_SHOWN = 5

export const openFunctionFolder = (directory: string): FunctionFolder => {
  const find: FunctionFolder['find'] = name => {
    if (!isName(name)) return { problem: 'bad_name' }
    const base = join(directory, name)
    for (const extension of EXTENSIONS) {
      const path = base + extension
      if (statSync(path, { throwIfNoEntry: false })?.isFile()) return inside(directory, path)
    }
    return { problem: statSync(base, { throwIfNoEntry: false })?.isDirectory() ? 'folder' : 'missing' }
  }

  return {
    find: name => {
      try {
        return find(name)
      } catch {
        // A path segment is a file, symlinks form a loop, or a folder cannot be entered.
        return { problem: 'missing' }
      }
    },
    explain: name => {
      if (!isName(name)) return 'must be a path below the functions folder such as "scrape/products", without extension'
      const names = listNames(directory)
      const below = names.filter(other => other.startsWith(`${name}/`))
      if (below.length > 0) return `is a folder of functions: ${show(below)}`
      const close = closeNames(name, names)
      if (close.length > 0) return `there is no function ${JSON.stringify(name)}; did you mean ${show(close)}?`
      if (names.length === 0) return `there is no function ${JSON.stringify(name)}; the functions folder has none`
      return `there is no function ${JSON.stringify(name)}; there are ${show(names)}`
    },
  }
}

const show = (names: readonly string[]): string => {
  const shown = names.slice(0, MOST_NAMES_SHOWN).map(name => JSON.stringify(name))
  return names.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ')
}

/** Segments of visible files only: no `..`, nothing hidden, and one spelling per path. */
const isName = (name: string): boolean =>
  !isAbsolute(name) &&
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  !/[\\:\u0000-\u001f\u007f]/.test(name) &&
  !name.endsWith('.d') &&
  name.split('/').every(segment => segment !== '' && !segment.startsWith('.') && segment !== 'node_modules')

/** A symlink may point anywhere within the folder, but not outside. */
const inside = (directory: string, path: string): FunctionFile | { problem: FunctionProblem } => {
  const real = realpathSync.native(path)
  const fromFolder = relative(realpathSync.native(directory), real)
  return fromFolder.startsWith('..') || isAbsolute(fromFolder) ? { problem: 'outside' } : { path: real }
}

const listNames = (directory: string): readonly string[] => {
  const names: string[] = []
  const waiting = ['']
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const entry of readEntries(join(directory, folder))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (names.length + waiting.length >= MOST_ENTRIES) return names.sort()
      if (entry.isDirectory() && isName(path)) waiting.push(path)
      else if (!entry.isDirectory()) names.push(...toName(path))
    }
  }
  return names.sort()
}

const readEntries = (path: string) => {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch {
    return []
  }
}

const toName = (path: string): readonly string[] => {
  const extension = EXTENSIONS.find(ending => path.endsWith(ending))
  const name = extension === undefined ? '' : path.slice(0, -extension.length).split(sep).join('/')
  return name !== '' && isName(name) ? [name] : []
}
