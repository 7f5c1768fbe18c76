import type { FastifyRequest } from 'fastify'
import { MillraceError } from '../../kernel/errors.ts'

/**
 * Browsers send `Origin` when they open a WebSocket, but do not apply the same-origin policy: only pages from this server may open one. Other clients send no
 * `Origin`.
 */
export const checkOrigin = (request: FastifyRequest, publicUrl: string): void => {
  const { origin, host } = request.headers
  if (origin === undefined) return
  if (origin === new URL(publicUrl).origin || hostOf(origin) === host) return
  throw new MillraceError('foreign_origin', `The page comes from ${origin}.`)
}

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null)
