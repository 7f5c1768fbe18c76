import type { FastifyRequest } from 'fastify'

/** Aborted if the client disconnects before it has its answer. */
export const whenLeft = ({ raw: { socket } }: FastifyRequest): Disposable & { readonly signal: AbortSignal } => {
  const leaving = new AbortController()
  const leave = (): void => leaving.abort()
  socket.once('close', leave)
  return { signal: leaving.signal, [Symbol.dispose]: () => socket.off('close', leave) }
}
