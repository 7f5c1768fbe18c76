import { invalidField } from '../../kernel/errors.ts'
import { isId } from '../../kernel/ids.ts'
import type { App } from '../app.ts'
import { SMALL_BODY } from '../bodies/json-body.ts'
import { countWhen } from '../lists/count.ts'
import { DEFAULT_LIMIT } from '../schemas/basics.ts'
import { NotificationPage, NotificationQuery, Preference, ReadAnswer, ReadBody } from '../schemas/notification.ts'
import type { Services } from '../services.ts'
import { viewNotification } from '../views/notification-view.ts'

/** Notifications, and which of them a workspace wants to see. */
export const notificationRoutes = (app: App, { store }: Services): void => {
  app.get(
    '/v1/notifications',
    {
      schema: {
        tags: ['Notifications'],
        summary: 'List notifications, newest first',
        description: "Filtered by the workspace's preference.",
        querystring: NotificationQuery,
        response: { 200: NotificationPage },
      },
    },
    async request => {
      const { limit = DEFAULT_LIMIT, cursor = null, count, unread: unreadOnly = false } = request.query
      const { workspace } = request.caller
      const page = await store.listNotifications({ workspace, unreadOnly, limit, cursor })
      return {
        notifications: page.notifications.map(viewNotification),
        next_cursor: page.nextCursor,
        ...(await countWhen(count, () => store.countNotifications({ workspace, unreadOnly }))),
      }
    },
  )

  app.post(
    '/v1/notifications/read',
    {
      schema: {
        tags: ['Notifications'],
        summary: 'Mark notifications as read',
        description: 'The given ones, or all.',
        body: ReadBody,
        response: { 200: ReadAnswer },
      },
      bodyLimit: SMALL_BODY,
    },
    async request => {
      const { ids, all } = request.body
      if ((ids === undefined) === (all === undefined))
        throw invalidField('ids', 'is required, or all instead, but not both')
      const wanted = ids ? ids.filter(isId) : null
      return { read: await store.markNotificationsRead({ workspace: request.caller.workspace, ids: wanted }) }
    },
  )

  app.get(
    '/v1/notifications/preference',
    {
      schema: {
        tags: ['Notifications'],
        summary: 'Read the notification preference of the workspace',
        response: { 200: Preference },
      },
    },
    async request => ({
      preference: await store.getNotificationPreference({ workspace: request.caller.workspace }),
    }),
  )

  app.put(
    '/v1/notifications/preference',
    {
      schema: {
        tags: ['Notifications'],
        summary: 'Set the notification preference of the workspace',
        body: Preference,
        response: { 200: Preference },
      },
      bodyLimit: SMALL_BODY,
    },
    async request => {
      const { preference } = request.body
      await store.setNotificationPreference({ workspace: request.caller.workspace, preference })
      return { preference }
    },
  )
}
