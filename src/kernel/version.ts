import { readFileSync } from 'node:fs'

/** The version of the program, as in package.json, which lies above `src/` and `dist/` alike. */
export const readVersion = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
