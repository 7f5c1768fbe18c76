import Type from 'typebox'
import { KINDS } from '../../model/kind.ts'
import { PLAIN_TEXT } from '../../model/patterns.ts'
import { strictObject, words } from './basics.ts'

const id = Type.Optional(Type.String({ maxLength: 64, pattern: PLAIN_TEXT }))

export const EventQuery = strictObject({
  job_id: id,
  workflow_id: id,
  kind: Type.Optional(words(KINDS)),
  token: Type.Optional(Type.String({ description: 'The token, where no header can be sent.' })),
})
