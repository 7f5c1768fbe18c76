import Type from 'typebox'
import { Id, NullableInteger, strictObject, Time } from './basics.ts'

export const ArtifactPath = strictObject({ job_id: Id, artifact_id: Id })

export const ArtifactList = Type.Object({
  artifacts: Type.Array(
    Type.Object({
      artifact_id: Id,
      name: Type.String(),
      attempt: NullableInteger,
      sha256: Type.String(),
      size: Type.Integer(),
      content_type: Type.String(),
      created_at: Time,
    }),
  ),
})
