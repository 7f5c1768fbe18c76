import { statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The modules loaded in this process. */
export interface Modules {
  /** True if the file of a module has changed since it was loaded: a process cannot reload it. */
  haveChanged(): boolean
  /** The default export of a module. Throws `UnreadableFunction`. */
  loadFunction(path: string): Promise<LoadedFunction>
}

export type LoadedFunction = (parameters: unknown, context: unknown) => unknown

/** The module cannot be loaded or its default export is not a function. The message says why. */
export class UnreadableFunction extends Error {}

type Stamp = { readonly path: string; readonly of: string }

export const watchModules = (): Modules => {
  const stamps = new Map<string, Stamp>()
  const functions = new Map<string, LoadedFunction>()
  let incomplete = false

  // Stamp the file before it is read: a change in between is then detected later.
  registerHooks({
    load: (url, context, next) => {
      const path = url.startsWith('file:') ? fileURLToPath(url) : null
      if (path !== null && !path.includes('/node_modules/')) stamps.set(path, { path, of: stampOf(path) })
      return next(url, context)
    },
  })

  return {
    haveChanged: () => {
      if (incomplete) return true
      for (const { path, of } of stamps.values()) if (stampOf(path) !== of) return true
      return false
    },
    loadFunction: async path => {
      const known = functions.get(path)
      if (known !== undefined) return known
      try {
        const loaded = await importDefault(path)
        functions.set(path, loaded)
        return loaded
      } catch (error) {
        // A module that was not found has no stamp to compare.
        if (codeOf(error) === 'ERR_MODULE_NOT_FOUND') incomplete = true
        throw error
      }
    },
  }
}

const stampOf = (path: string): string => {
  const status = statSync(path, { throwIfNoEntry: false })
  return status === undefined ? 'gone' : `${status.ino} ${status.size} ${status.mtimeMs} ${status.ctimeMs}`
}

const importDefault = async (path: string): Promise<LoadedFunction> => {
  const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown }
  if (typeof module.default === 'function') return module.default as LoadedFunction
  throw new UnreadableFunction(
    module.default === undefined
      ? 'The module has no default export. It needs: export default async (parameters, ctx) => { … }'
      : `The default export of the module is of type ${typeof module.default}, not a function.`,
  )
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code
