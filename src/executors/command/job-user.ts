import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { BASE_PATH } from '../launched-process.ts'

/** The user commands run as. */
export type JobUser = {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
  /** Whether it differs from the server's user. */
  readonly isOther: boolean
}

/** Looks up the user commands run as. Throws if the name is unknown or the server may not switch to that user. */
export const resolveJobUser = (name: string | null): JobUser => {
  const own = userInfo()
  if (name === null || name === own.username)
    return { name: own.username, uid: own.uid, gid: own.gid, home: own.homedir, isOther: false }
  if (own.uid !== 0) throw new Error(`MILLRACE_JOB_USER needs a server that runs as root, not as ${own.username}`)
  const user = lookUp(name)
  if (user === null) throw new Error(`MILLRACE_JOB_USER: there is no user ${JSON.stringify(name)}`)
  if (user.uid === 0) throw new Error('MILLRACE_JOB_USER must not be root')
  return { ...user, isOther: true }
}

/** Reads /etc/passwd, then any other user database of the system (passwd(5), getent(1)). */
const lookUp = (name: string): Omit<JobUser, 'isOther'> | null => {
  const line = findLine(readFileSync('/etc/passwd', 'utf8'), name) ?? findLine(askSystem(name), name)
  if (line === undefined) return null
  const [, , uid, gid, , home] = line.split(':')
  return { name, uid: Number(uid), gid: Number(gid), home: home || '/' }
}

const findLine = (text: string, name: string): string | undefined =>
  text.split('\n').find(line => line.startsWith(`${name}:`))

const askSystem = (name: string): string => {
  try {
    return execFileSync('getent', ['passwd', '--', name], {
      encoding: 'utf8',
      env: { PATH: BASE_PATH },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return ''
  }
}
