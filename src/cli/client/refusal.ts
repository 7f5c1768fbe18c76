import { COMMAND_HINTS } from '../command-hints.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'

type Problem = {
  readonly title?: string
  readonly code?: string
  readonly detail?: string
  readonly hint?: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}

/** The server's problem+json as one readable line, with the wrong fields below it, and its hint. */
export const refusal = async (response: Response): Promise<CliFailure> =>
  refusalOf(response.status, await response.text().catch(() => ''))

/** The same for a failed WebSocket handshake. */
export const refusalOf = (status: number, body: string): CliFailure => {
  const problem = parseProblem(body)
  const summary = problem.detail ?? problem.title ?? `the server answered ${status}`
  const fields = (problem.errors ?? [])
    // The detail often repeats the first field.
    .filter(({ path, message }) => summary !== (path === '' ? `The body ${message}` : `${path}: ${message}`))
    .map(({ path, message }) => `\n  ${path || '(body)'}: ${message}`)
  const { code } = problem
  return new CliFailure(`${summary} (${code ?? `status ${status}`})${fields.join('')}`, {
    exitCode: EXIT.server,
    // For wrong fields, the hint says where they are listed, which is right here.
    hint: code === 'invalid' && problem.errors?.length ? undefined : (COMMAND_HINTS[code ?? ''] ?? problem.hint),
    code,
    status,
    fields: problem.errors,
  })
}

const parseProblem = (body: string): Problem => {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    // Not from our server, but perhaps a proxy's page: the status has to do.
    return {}
  }
}
