import Type from 'typebox'
import { PLAIN_TEXT } from '../../model/patterns.ts'
import { ROLES, SCOPES } from '../../model/scopes.ts'
import { choice, Id, NullableText, NullableTime, strictObject, Time } from './basics.ts'

const name = Type.String({ minLength: 1, maxLength: 255, pattern: PLAIN_TEXT })

export const TokenPath = strictObject({ token_id: Id })

export const TokenBody = strictObject({
  name,
  workspace: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'Id or name. Default: your own.' }),
  ),
  role: Type.Optional(choice(ROLES)),
  scopes: Type.Optional(Type.Array(choice(SCOPES), { minItems: 1, maxItems: 100 })),
  expires_at: Type.Optional(
    Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 64, description: 'RFC 3339; null: never.' }),
  ),
})

export const NewToken = Type.Object({
  token_id: Id,
  token: Type.String(),
  name: Type.String(),
  workspace: Type.String(),
  expires_at: NullableTime,
})

export const TokenList = Type.Object({
  tokens: Type.Array(
    Type.Object({
      token_id: Id,
      name: Type.String(),
      workspace: Type.String(),
      role: NullableText,
      scopes: Type.Array(Type.String()),
      created_at: Time,
      expires_at: NullableTime,
    }),
  ),
})

export const WorkspaceBody = strictObject({ name })
const Workspace = Type.Object({ workspace_id: Type.String(), name: Type.String(), created_at: Time })
export const NewWorkspace = Workspace
export const WorkspaceList = Type.Object({ workspaces: Type.Array(Workspace) })
