import type { RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { App } from './app.ts'
import { listenersOf } from './listeners.ts'

/** Requests of one connection at once: more than any client sends ahead that reads its answers. */
const MOST = 32

/**
 * Ends a connection that sends request after request before it is answered. All that has come is read in one go, of all connections, and each request is
 * begun: fifty that send nothing but `GET /healthz` kept the server from all else for longer than its leases last, and nobody needs a token for it. What
 * is left of such a connection's last part goes no further than here: a part holds nearly two thousand.
 */
export const limitPipelining = (app: App): void => {
  app.addHook('onListen', async () => {
    for (const server of listenersOf(app)) guard(server)
  })
}

const guard = (server: Server): void => {
  const handlers = server.listeners('request') as RequestListener[]
  const open = new WeakMap<Socket, number>()
  const enter = (socket: Socket, response: ServerResponse): boolean => {
    const count = (open.get(socket) ?? 0) + 1
    if (count > MOST) socket.destroy()
    if (socket.destroyed) return false
    open.set(socket, count)
    response.once('close', () => open.set(socket, open.get(socket)! - 1))
    return true
  }
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    if (enter(request.socket, response)) for (const handle of handlers) handle(request, response)
  })
}
