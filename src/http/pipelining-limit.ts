import type { RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { App } from './app.ts'
import { listenersOf } from './listeners.ts'

/** The most open requests on one connection: more than any client pipelines that reads its answers. */
const MOST = 32

/**
 * Closes a connection that sends many requests without waiting for answers. Node reads all pending data of all connections in one go and starts every request.
 * Fifty connections sending nothing but `GET /healthz`, which needs no token, kept the server busy for longer than its leases last. The rest of the
 * connection's last chunk, which may hold nearly two thousand requests, is dropped here.
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
