import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dieWithParent, restrict } from './landlock.ts'
import type { EngineSettings } from './protocol.ts'

/**
 * Sets up the second line of defence (the first is the SQL guard) and becomes the engine. Landlock restricts the calling thread and everything it starts, so
 * this must come first, followed by `execve`: only a fresh program has no other threads.
 */

const settings = JSON.parse(process.argv[2]!) as EngineSettings
const folder = import.meta.dirname
const main = join(folder, import.meta.url.endsWith('.ts') ? 'main.ts' : 'main.js')
const require = createRequire(import.meta.url)

/** The `node_modules` folder that contains a package: the package needs others from it. */
const packagesAround = (path: string): string => {
  const mark = `${sep}node_modules${sep}`
  return path.slice(0, path.lastIndexOf(mark) + mark.length - 1)
}

/** Our program, as sources or as the built package; and the `package.json` that declares it as ES modules. */
const programFiles = (): readonly string[] => {
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  return [root, join(root, '..', 'package.json'), packagesAround(realpathSync(require.resolve('chdb')))]
}

const SYSTEM = [
  ...['/lib', '/lib64', '/usr/lib', '/usr/lib64', '/usr/local/lib', '/usr/share/zoneinfo', '/etc/ld.so.cache'],
  ...['/etc/ssl/openssl.cnf', '/etc/pki/tls/openssl.cnf', '/etc/crypto-policies'],
  ...['/etc/ld-musl-x86_64.path', '/proc/self', '/proc/cpuinfo', '/proc/meminfo', '/proc/stat', '/proc/loadavg'],
  ...['/proc/uptime', '/proc/version', '/proc/sys', '/sys/devices/system', '/sys/fs/cgroup', '/sys/kernel/mm'],
]
const DEVICES = ['/dev/null', '/dev/zero', '/dev/urandom', '/dev/random']

const confine = (): string | null => {
  try {
    dieWithParent()
    const writable = [dirname(settings.dataPath), dirname(settings.socketPath)]
    restrict({ readable: [...SYSTEM, process.execPath, ...programFiles()], devices: DEVICES, writable })
    return null
  } catch (error) {
    return (error as Error).message
  }
}

const unconfined = confine()
const argument = JSON.stringify({ ...settings, unconfined } satisfies EngineSettings)
process.execve!(process.execPath, [process.execPath, ...process.execArgv, main, argument])
