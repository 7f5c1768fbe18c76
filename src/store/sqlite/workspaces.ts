import type { Workspace } from '../store.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export const createWorkspace = (
  { db, now }: Writer,
  { id, name }: { id: string; name: string },
): Workspace | 'exists' => {
  const created = db.run(
    'INSERT INTO workspace (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    id,
    name,
    now,
  )
  return created > 0 ? { id, name, createdAt: now } : 'exists'
}

export const listWorkspaces = ({ db }: Reader): Workspace[] =>
  db
    .all<[string, string, number]>('SELECT id, name, created_at FROM workspace ORDER BY created_at, name')
    .map(([id, name, createdAt]) => ({ id, name, createdAt }))
