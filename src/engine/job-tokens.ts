import { createHmac, timingSafeEqual } from 'node:crypto'
import { isScope } from '../model/scopes.ts'
import type { Store } from '../store/store.ts'
import type { JobTokens } from './engine.ts'

const PREFIX = 'mrj_'
const FORM = /^mrj_([0-9a-f-]{36})\.(\d{1,9})\.([A-Za-z0-9_-]{43})$/

/**
 * Tokens of running attempts: job id and attempt number, signed. Nothing is stored, so a token costs no write; each use asks the store whether the attempt
 * still runs.
 */
export const createJobTokens = ({ store, key }: { store: Store; key: Buffer }): JobTokens => {
  const sign = (jobId: string, attempt: number): Buffer =>
    createHmac('sha256', key).update(`${jobId}.${attempt}`).digest()

  return {
    issue: (jobId, attempt) => `${PREFIX}${jobId}.${attempt}.${sign(jobId, attempt).toString('base64url')}`,
    verify: async token => {
      const [, jobId, number, signature] = FORM.exec(token) ?? []
      if (!jobId || !number || !signature) return null
      const attempt = Number(number)
      if (!sameBytes(sign(jobId, attempt), Buffer.from(signature, 'base64url'))) return null
      const running = await store.findRunningAttempt({ jobId, attempt })
      return running && { workspace: running.workspace, jobId, attempt, scopes: running.scopes.filter(isScope) }
    },
    looksLike: token => token.startsWith(PREFIX),
  }
}

const sameBytes = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)
