import type { FastifyReply } from 'fastify'
import type { App } from './app.ts'

/** Headers of every answer. Answers are data: they must not be executed, framed or stored by a shared cache. */
export const secureAnswers = (app: App): void => {
  app.addHook('onRequest', (request, reply, done) => {
    secure(reply, request.id)
    done()
  })
}

/** Sets them, also on an answer that no hook has seen. */
export const secure = (reply: FastifyReply, requestId: string): FastifyReply =>
  reply
    .header('x-request-id', requestId)
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
    .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'; sandbox")
    .header('referrer-policy', 'no-referrer')
