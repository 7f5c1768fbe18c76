import { readFileSync } from 'node:fs'
import type { Config } from '../kernel/settings.ts'
import type { RunningServer } from './server.ts'
import { paint } from './terminal/colour.ts'

type Welcome = {
  readonly server: Pick<RunningServer, 'url' | 'adminToken' | 'problems'>
  readonly config: Config
  readonly stream: NodeJS.WriteStream
}

/** What a server says when it is ready: where it is, how to send it a first job, what is wrong with it. */
export const welcome = ({ server, config, stream }: Welcome): string => {
  const strong = (text: string): string => paint(stream, 'bold', text)
  const dim = (text: string): string => paint(stream, 'dim', text)
  const lines = [
    '',
    `  ${strong('Millrace is ready')} at ${paint(stream, 'cyan', server.url)}`,
    '',
    `  API reference  ${server.url}/docs`,
    `  Data           ${config.dataDir}`,
    `  Admin token    ${tokenText(server, config)}`,
    '',
    dim('  A first job, in another terminal:'),
    '    npx millrace run -- echo hi',
    ...curl(server).map(line => `    ${line}`),
    '',
    ...warnings({ server, config, stream }),
  ]
  return `${lines.join('\n')}\n`
}

const tokenText = ({ adminToken }: Welcome['server'], config: Config): string => {
  if (config.adminToken !== null) return 'as configured'
  return adminToken.isNew
    ? `${readFileSync(adminToken.path, 'utf8').trim()}\n${' '.repeat(17)}(shown this once; kept in ${adminToken.path})`
    : `in ${adminToken.path}`
}

const curl = ({ url, adminToken }: Welcome['server']): readonly string[] => [
  `curl ${url}/v1/jobs -H "Authorization: Bearer $(cat '${adminToken.path}')" \\`,
  `  -H "Content-Type: application/json" -d '{"command": "echo hi"}'`,
]

const warnings = ({ server, stream }: Welcome): readonly string[] => {
  const problems = server.problems.flatMap(part => part.problems.map(problem => ({ part: part.part, ...problem })))
  const lines = problems.map(({ part, severity, message }) => {
    const word = paint(stream, severity === 'warning' ? 'yellow' : 'red', severity === 'warning' ? 'Warning' : 'Fault')
    return `  ${word} (${part}): ${message}`
  })
  return lines.length === 0 ? [] : [...lines, '']
}
