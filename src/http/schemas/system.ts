import Type from 'typebox'
import { choice, Time } from './basics.ts'

export const Health = Type.Object({ status: Type.String() })

export const Readiness = Type.Object({
  status: choice(['ready', 'unavailable']),
  parts: Type.Array(
    Type.Object({
      part: Type.String(),
      status: choice(['ok', 'warning', 'unavailable']),
      problems: Type.Array(Type.Object({ severity: Type.String(), message: Type.String() })),
    }),
  ),
})

export const WorkerList = Type.Object({
  workers: Type.Array(
    Type.Object({
      worker_id: Type.String(),
      host: Type.String(),
      pid: Type.Integer(),
      roles: Type.Array(Type.String()),
      slots: Type.Integer(),
      running: Type.Integer(),
      started_at: Time,
      seen_at: Time,
    }),
  ),
})
