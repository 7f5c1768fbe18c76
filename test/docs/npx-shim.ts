import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

/** A PATH on which `npx millrace …` is the command line of this checkout, as a reader has it after `npm ci`. */
export const shimPath = (directory: string): string => {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  const main = resolve(import.meta.dirname, '../../src/cli/main.ts')
  const script = `#!/bin/sh\nshift\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${main}' "$@"\n`
  writeFileSync(join(bin, 'npx'), script)
  chmodSync(join(bin, 'npx'), 0o755)
  return [bin, process.env.PATH].join(delimiter)
}
