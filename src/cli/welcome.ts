import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../kernel/settings.ts'
import type { RunningServer } from './server.ts'
import { paint } from './terminal/colour.ts'

type Welcome = {
  readonly server: Pick<RunningServer, 'url' | 'adminToken' | 'problems'>
  readonly config: Config
  /** The server's working directory. */
  readonly directory: string
  readonly stream: NodeJS.WriteStream
}

/** The message of a server that is ready: its address, how to send a first job, and its problems. */
export const welcome = ({ server, config, directory, stream }: Welcome): string => {
  const strong = (text: string): string => paint(stream, 'bold', text)
  const ready = strong('Millrace is ready')
  const data = `  Data           ${config.dataDir}`
  const lines = config.roles.includes('api')
    ? [
        `  ${ready} at ${paint(stream, 'cyan', server.url)}`,
        '',
        `  API reference  ${server.url}/docs`,
        data,
        `  Admin token    ${tokenText(server, config, stream)}`,
        ...firstJob({ server, config, directory, stream }),
      ]
    : [`  ${ready} (${config.roles.join(', ')}); without the role api it takes no requests`, '', data]
  return `${['', ...lines, '', ...warnings({ server, stream })].join('\n')}\n`
}

/** Nothing without a token at hand: a further server on a database has none. */
const firstJob = ({ server, config, directory, stream }: Welcome): readonly string[] => {
  const { url, adminToken } = server
  if (config.adminToken === null && !existsSync(adminToken.path)) return []
  const token = config.adminToken === null ? `$(cat '${adminToken.path}')` : '$MILLRACE_ADMIN_TOKEN'
  return [
    '',
    paint(stream, 'dim', '  A first job, in another terminal:'),
    `    ${where(config, directory)}${PROGRAM} run -- echo hi`,
    `    curl ${url}/v1/jobs -H "Authorization: Bearer ${token}" \\`,
    `      -H "Content-Type: application/json" -d '{"command": "echo hi"}'`,
  ]
}

/**
 * In a checkout the command is not in the path. For an installed package, `npx` would ask a registry for another package of that name if it does not find the
 * command.
 */
const PROGRAM = import.meta.filename.endsWith('.ts') ? 'npx millrace' : 'millrace'

/** The command line uses the data directory below its working directory. */
const where = ({ dataDir }: Config, directory: string): string =>
  dataDir === join(directory, 'data') ? '' : `MILLRACE_DATA_DIR='${dataDir}' `

/** The token is shown only on a terminal: other output is a log, which others may read. */
const tokenText = ({ adminToken }: Welcome['server'], config: Config, stream: NodeJS.WriteStream): string => {
  if (config.adminToken !== null) return 'as configured'
  if (!existsSync(adminToken.path))
    return 'not here: with the first server of this database, or lost (millrace tokens reset-admin)'
  return adminToken.isNew && stream.isTTY
    ? `${readFileSync(adminToken.path, 'utf8').trim()}\n${' '.repeat(17)}(shown this once; kept in ${adminToken.path})`
    : `in ${adminToken.path}`
}

const warnings = ({ server, stream }: Pick<Welcome, 'server' | 'stream'>): readonly string[] => {
  const problems = server.problems.flatMap(part => part.problems.map(problem => ({ part: part.part, ...problem })))
  const lines = problems.map(({ part, severity, message }) => {
    const word = paint(stream, severity === 'warning' ? 'yellow' : 'red', severity === 'warning' ? 'Warning' : 'Fault')
    return `  ${word} (${part}): ${message}`
  })
  return lines.length === 0 ? [] : [...lines, '']
}
