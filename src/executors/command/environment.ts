import { putSecrets } from '../../model/secrets.ts'
import { BASE_PATH, COOKIE_VARIABLE } from '../launched-process.ts'

type Input = {
  readonly home: string
  /** null: the job's own environment sets it. */
  readonly tempDir: string | null
  /** The variables every running job gets. */
  readonly common: Readonly<Record<string, string>>
  /** The job's own variables, with secret values masked. */
  readonly own: Readonly<Record<string, string>> | undefined
  /** Secret values by path (`environment.API_TOKEN`). */
  readonly secrets: Readonly<Record<string, string>>
  readonly cookie: string
}

/** The environment of a command: a small clean base, never the server's own, overridden by the job's variables. */
export const buildEnvironment = ({
  home,
  tempDir,
  common,
  own,
  secrets,
  cookie,
}: Input): Readonly<Record<string, string>> => ({
  PATH: BASE_PATH,
  HOME: home,
  LANG: 'C.UTF-8',
  ...(tempDir === null ? {} : { TMPDIR: tempDir }),
  ...common,
  ...putSecrets(own, secrets, 'environment'),
  [COOKIE_VARIABLE]: cookie,
})

/** Identifies the processes of one attempt. */
export const cookieOf = (instanceId: string, job: { id: string; attempt: number }): string =>
  `${instanceId}/${job.id}/${job.attempt}`
