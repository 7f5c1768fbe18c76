import type { FastifyRequest } from 'fastify'
import { MillraceError } from '../../kernel/errors.ts'
import type { App } from '../app.ts'

/** How many bodies of the maximum size are allowed at once. */
const BODIES = 16

/**
 * Limits the JSON bodies that a workspace sends at once: each is in memory from its first byte until the answer, however slowly it arrives. A workspace that
 * exceeds its limit gets `unavailable`; others are not affected.
 */
export const limitBodies = (app: App, { maxBodyBytes }: { readonly maxBodyBytes: number }): void => {
  const most = BODIES * maxBodyBytes
  const taken = new Map<string, number>()

  const take = (workspace: string, bytes: number): boolean => {
    const all = (taken.get(workspace) ?? 0) + bytes
    if (all > most) return false
    taken.set(workspace, all)
    return true
  }

  const giveBack = (workspace: string, bytes: number): void => {
    const left = taken.get(workspace)! - bytes
    if (left > 0) taken.set(workspace, left)
    else taken.delete(workspace)
  }

  app.addHook('preParsing', (request, reply, payload, done) => {
    const { caller, headers } = request
    const declared = Number(headers['content-length'] ?? 0)
    if (!isHeld(request) || declared > maxBodyBytes) return done(null, payload)
    // The client left while its token was looked up: there will be no `close` event to release the bytes.
    if (reply.raw.closed) return done(null, payload)
    if (!take(caller.workspace, declared)) return done(full(most))
    let bytes = declared
    reply.raw.once('close', () => giveBack(caller.workspace, bytes))
    if (headers['transfer-encoding'] === undefined) return done(null, payload)
    // A chunked body has no known length: if it exceeds the limit, the connection is closed.
    payload.on('data', (part: Buffer) => {
      if (take(caller.workspace, part.length)) bytes += part.length
      else request.raw.destroy()
    })
    done(null, payload)
  })
}

/** Excludes uploads, which go to disk, and unauthorized requests. */
const isHeld = ({ caller, routeOptions, is404 }: FastifyRequest): boolean =>
  caller !== undefined && routeOptions.config.body === undefined && !is404

const full = (most: number): MillraceError =>
  new MillraceError('unavailable', `The bodies that a workspace sends at once may have ${most} bytes in all.`, {
    retryAfter: 1,
  })
