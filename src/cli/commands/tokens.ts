import { Option } from 'commander'
import { ROLES } from '../../model/scopes.ts'
import { call, send } from '../client/request.ts'
import { findServer } from '../client/server-address.ts'
import { commandGroup } from '../command-group.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { repeated } from '../option-value.ts'
import { addSettingFlags, loadWithFlags } from '../setting-flags.ts'
import { timeText } from '../terminal/quantity-text.ts'
import { showList } from '../terminal/show-list.ts'

/** `millrace tokens list | create | delete | reset-admin`. */
export const tokens: Define = (command, context, finish) =>
  commandGroup({ list, create, delete: remove, 'reset-admin': resetAdmin })(command, context, finish)

type TokenAnswer = {
  readonly token_id: string
  readonly name: string
  readonly workspace: string
  readonly role: string | null
  readonly scopes: readonly string[]
  readonly created_at: string
  readonly expires_at: string | null
}

const COLUMNS = [
  { title: 'TOKEN', value: (token: TokenAnswer) => token.token_id },
  { title: 'NAME', value: (token: TokenAnswer) => token.name },
  { title: 'CREATED', value: (token: TokenAnswer) => timeText(token.created_at) },
  { title: 'EXPIRES', value: (token: TokenAnswer) => timeText(token.expires_at) || 'never' },
  { title: 'RIGHTS', value: (token: TokenAnswer) => token.role ?? token.scopes.join(' ') },
]

const list: Define = (command, context) => {
  command
    .description('list the tokens of the workspace, without their secret text')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const answer = await call<{ tokens: readonly TokenAnswer[] }>(findServer(context), { path: '/v1/tokens' })
      showList({ context, answer, rows: answer.tokens, columns: COLUMNS, things: 'tokens', json })
    })
}

type CreateOptions = {
  readonly role?: string
  readonly scope?: readonly string[]
  readonly workspace?: string
  readonly expires?: string
  readonly json?: boolean
}

const create: Define = (command, context) => {
  command
    .description('create a token and print it; it is not shown again')
    .argument('<name>', 'name of the token, such as its purpose')
    .addOption(new Option('-r, --role <role>', 'what the token may do').choices(ROLES))
    .option('-s, --scope <scope>', 'a scope, instead of a role; repeatable', repeated(String))
    .option('--workspace <name>', 'workspace of the token; default: your own')
    .option('--expires <time>', 'RFC 3339 time at which the token expires')
    .option('--json', 'print JSON')
    .action(async (name: string, { role, scope, workspace, expires, json }: CreateOptions) => {
      if ((role === undefined) === (scope === undefined))
        throw new CliFailure('give either --role or --scope', { exitCode: EXIT.usage })
      const body = { name, role, scopes: scope, workspace, expires_at: expires }
      const answer = await call<{ token: string }>(findServer(context), {
        method: 'POST',
        path: '/v1/tokens',
        json: body,
      })
      context.stdout.write(`${json ? JSON.stringify(answer) : answer.token}\n`)
    })
}

const remove: Define = (command, context) => {
  command
    .description('revoke a token at once')
    .argument('<id>', 'id of the token')
    .action(async (id: string) => {
      await send(findServer(context), { method: 'DELETE', path: `/v1/tokens/${encodeURIComponent(id)}` })
      context.stdout.write(`${id} deleted\n`)
    })
}

const resetAdmin: Define = (command, context) => {
  addSettingFlags(command)
    .description('replace the admin token, in the data directory of a stopped server')
    .action(async () => {
      const { config } = loadWithFlags(command, context)
      const { resetAdmin } = await import('../reset-admin.ts')
      const { token, path } = await resetAdmin(config)
      context.stdout.write(`${token}\n`)
      context.stderr.write(`Also in ${path}.\n`)
    })
}
