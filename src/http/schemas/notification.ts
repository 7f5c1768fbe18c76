import Type from 'typebox'
import { NOTIFICATION_PREFERENCES, NOTIFICATION_TYPES, type NotificationType } from '../../model/workflow.ts'
import { choice, Id, NullableText, NullableTime, pageEnd, pageQuery, strictObject, Time } from './basics.ts'

export const NotificationQuery = strictObject({
  unread: Type.Optional(Type.Boolean({ description: 'Only unread notifications.' })),
  ...pageQuery,
})

export const NotificationPage = Type.Object({
  notifications: Type.Array(
    Type.Object({
      notification_id: Id,
      type: choice(Object.keys(NOTIFICATION_TYPES) as NotificationType[]),
      severity: choice(['alert', 'info']),
      title: Type.String(),
      message: Type.String(),
      workflow_id: NullableText,
      run_id: NullableText,
      job_id: NullableText,
      created_at: Time,
      read_at: NullableTime,
    }),
  ),
  ...pageEnd,
})

export const ReadBody = strictObject({
  ids: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 1000 })),
  all: Type.Optional(Type.Literal(true, { description: 'true: all notifications of the workspace.' })),
})
export const ReadAnswer = Type.Object({
  read: Type.Integer({ description: 'Number of notifications that this call marked as read.' }),
})

export const Preference = strictObject({
  preference: choice(
    NOTIFICATION_PREFERENCES,
    'Which notifications the workspace receives: alerts (those that need attention), all or none.',
  ),
})
