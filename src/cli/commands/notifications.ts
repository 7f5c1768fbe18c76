import { Argument } from 'commander'
import {
  NOTIFICATION_PREFERENCES,
  type NotificationPreference,
  type NotificationSeverity,
  type NotificationType,
} from '../../model/workflow.ts'
import { readPages } from '../client/pages.ts'
import { call } from '../client/request.ts'
import { findServer } from '../client/server-address.ts'
import { commandGroup } from '../command-group.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { count } from '../option-value.ts'
import { paint } from '../terminal/colour.ts'
import { shortTimeText } from '../terminal/quantity-text.ts'
import { showList } from '../terminal/show-list.ts'
import type { Column } from '../terminal/table.ts'

/** `millrace notifications list | read | preference`. */
export const notifications: Define = (command, context, finish) =>
  commandGroup({ list, read, preference })(command, context, finish)

const PATH = '/v1/notifications'

type NotificationAnswer = {
  readonly notification_id: string
  readonly type: NotificationType
  readonly severity: NotificationSeverity
  readonly title: string
  readonly message: string
  readonly created_at: string
  readonly read_at: string | null
}

type PreferenceAnswer = { readonly preference: NotificationPreference }

type ListOptions = { readonly all?: boolean; readonly limit: number; readonly json?: boolean }

const list: Define = (command, context) => {
  command
    .description('list unread notifications of the workspace')
    .option('-a, --all', 'those that have been read, too')
    .option('-n, --limit <n>', 'maximum number of entries', count, 20)
    .option('--json', 'print JSON: {notifications, next_cursor}')
    .action(async ({ all, limit, json }: ListOptions) => {
      const query = all ? {} : { unread: 'true' }
      const answer = await readPages<NotificationAnswer, 'notifications'>(findServer(context), 'notifications', {
        path: PATH,
        query,
        limit,
      })
      const things = all ? 'notifications' : 'unread notifications'
      showList({ context, answer, rows: answer.notifications, columns: columns(context, Date.now()), things, json })
    })
}

const columns = ({ stdout }: CliContext, now: number): readonly Column<NotificationAnswer>[] => [
  { title: 'NOTIFICATION', value: one => one.notification_id },
  { title: 'WHEN', value: one => shortTimeText(one.created_at, now) },
  {
    title: 'TYPE',
    value: one => one.type,
    style: (cell, one) => (one.severity === 'alert' ? paint(stdout, 'red', cell) : cell),
  },
  { title: 'READ', value: one => (one.read_at === null ? '' : 'yes') },
  { title: 'MESSAGE', value: one => `${one.title}: ${one.message}` },
]

const read: Define = (command, context) => {
  command
    .description('mark notifications as read')
    .argument('[id...]', 'ids of notifications')
    .option('-a, --all', 'all of the workspace')
    .action(async (ids: readonly string[], { all }: { all?: boolean }) => {
      if ((ids.length === 0) === (all === undefined))
        throw new CliFailure('give either ids or --all', { exitCode: EXIT.usage })
      const json = all ? { all } : { ids }
      const answer = await call<{ read: number }>(findServer(context), { method: 'POST', path: `${PATH}/read`, json })
      context.stdout.write(`${answer.read} read\n`)
    })
}

const preference: Define = (command, context) => {
  command
    .description('show or set which notifications the workspace receives')
    .addArgument(new Argument('[preference]', 'the new preference').choices(NOTIFICATION_PREFERENCES))
    .action(async (wanted: string | undefined) => {
      const answer = await call<PreferenceAnswer>(findServer(context), {
        path: `${PATH}/preference`,
        ...(wanted === undefined ? {} : { method: 'PUT' as const, json: { preference: wanted } }),
      })
      context.stdout.write(`${answer.preference}\n`)
    })
}
