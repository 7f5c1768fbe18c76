import { readFileSync } from 'node:fs'

/** The program's version, from package.json, which is one level above both `src/` and `dist/`. */
export const readVersion = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
