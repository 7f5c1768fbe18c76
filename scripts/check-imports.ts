/**
 * The import-direction check (`docs/architecture.md`, Layers). Fails on an import that goes up or sideways, on a cycle,
 * and on `process.env` outside the program's entries. Tests are exempt: they may reach anything.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, posix, relative, resolve, sep } from 'node:path'

/** From the bottom up. A folder may import from the rows above it in this list, never from its own row's siblings. */
const LAYERS = [
  ['kernel'],
  ['model'],
  ['store', 'blobs', 'warehouse'],
  ['logs', 'data'],
  ['executors', 'sinks'],
  ['engine'],
  ['http'],
  ['cli'],
] as const

/** Folders whose sub-folders are implementations or kinds, which know nothing of each other. */
const SEPARATE_CHILDREN: ReadonlySet<string> = new Set(['store', 'blobs', 'warehouse', 'executors'])

/** Entries of processes: what is in their environment is read there and handed down. */
const MAY_READ_ENVIRONMENT: ReadonlySet<string> = new Set([
  'src/cli/main.ts',
  'src/cli/bin.ts',
  'src/executors/api/host/main.ts',
])

type SourceFile = {
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
  /** Without those of types alone: they are gone when the program runs, and may go round. */
  readonly runtimeImports: readonly string[]
}

/** Every fault of the sources below `<root>/src`, one line each; [] when all is well. */
export const findImportFaults = (root: string): readonly string[] => {
  const files = readSources(root)
  return [...files.flatMap(directionFaults), ...files.flatMap(environmentFaults), ...cycleFaults(files)]
}

const readSources = (root: string): readonly SourceFile[] =>
  globSync('src/**/*.ts', { cwd: root })
    .map(path => path.split(sep).join('/'))
    .filter(path => !path.endsWith('.test.ts'))
    .sort()
    .map(path => {
      const text = withoutComments(readFileSync(resolve(root, path), 'utf8'))
      const imports = relativeImports(root, path, text)
      return { path, text, imports, runtimeImports: relativeImports(root, path, text.replace(TYPE_ONLY, '')) }
    })

/** Good enough for our own formatted sources: strings that hold comment signs are rare and harmless here. */
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')

const STATIC_IMPORT = /\b(?:import|export)\s(?:[^'"();]*?\sfrom\s)?\s*['"](\.[^'"]+)['"]/g
const TYPE_ONLY = /\b(?:import|export)\s+type\s[^'"();]*?\sfrom\s*['"][^'"]+['"]/g
const DYNAMIC_IMPORT = /\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g

const relativeImports = (root: string, path: string, text: string): readonly string[] =>
  [...text.matchAll(STATIC_IMPORT), ...text.matchAll(DYNAMIC_IMPORT)].map(match =>
    relative(root, resolve(root, dirname(path), match[1]!))
      .split(sep)
      .join('/'),
  )

const directionFaults = ({ path, imports }: SourceFile): readonly string[] =>
  imports.flatMap(target => {
    const fault = directionFault(path, target)
    return fault === null ? [] : [`${path}: imports ${target}: ${fault}`]
  })

const directionFault = (from: string, to: string): string | null => {
  if (!to.startsWith('src/')) return 'only what is below src/ may be imported'
  const [, fromLayer, fromChild] = from.split('/')
  const [, toLayer, toChild] = to.split('/')
  const fromRank = rankOf(fromLayer!)
  const toRank = rankOf(toLayer!)
  if (fromRank === -1) return `src/${fromLayer} is not in the layer table`
  if (toRank === -1) return `src/${toLayer} is not in the layer table`
  if (toRank > fromRank) return `${fromLayer} may not import ${toLayer}, which is above it`
  if (toRank === fromRank && fromLayer !== toLayer) return `${fromLayer} and ${toLayer} are siblings`
  if (fromLayer !== toLayer || !SEPARATE_CHILDREN.has(fromLayer!)) return null
  const bothInChildren = posix.extname(fromChild!) === '' && posix.extname(toChild!) === ''
  return bothInChildren && fromChild !== toChild ? `${fromChild} and ${toChild} are siblings` : null
}

const rankOf = (layer: string): number => LAYERS.findIndex(row => (row as readonly string[]).includes(layer))

const environmentFaults = ({ path, text }: SourceFile): readonly string[] =>
  /\bprocess\s*\.\s*env\b/.test(text) && !MAY_READ_ENVIRONMENT.has(path)
    ? [`${path}: reads process.env; take the value from the configuration that main hands down`]
    : []

/** Depth first; each cycle is reported once, from the file where it was entered. */
const cycleFaults = (files: readonly SourceFile[]): readonly string[] => {
  const byPath = new Map(files.map(file => [file.path, file]))
  const done = new Set<string>()
  const faults: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start !== -1) faults.push(`import cycle: ${[...trail.slice(start), path].join(' > ')}`)
    if (start !== -1 || done.has(path)) return
    for (const target of byPath.get(path)?.runtimeImports ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const file of files) visit(file.path, [])
  return faults
}

if (import.meta.main) {
  const faults = findImportFaults(resolve(import.meta.dirname, '..'))
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length > 0 ? 1 : 0
}
