import type { FastifyRequest } from 'fastify'
import { MillraceError } from '../../kernel/errors.ts'

/**
 * A browser sends `Origin` with a WebSocket and no same-origin rule stops it: only pages of this server may open one.
 * Programs send none.
 */
export const checkOrigin = (request: FastifyRequest, publicUrl: string): void => {
  const { origin, host } = request.headers
  if (origin === undefined) return
  if (origin === new URL(publicUrl).origin || hostOf(origin) === host) return
  throw new MillraceError('foreign_origin', `The page is of ${origin}.`)
}

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null)
