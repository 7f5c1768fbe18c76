import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

type Recorded = { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers'] }

export type LocalServer = {
  readonly server: Server
  readonly port: number
  readonly requests: Recorded[]
  /** Connections ever made to it: none means that it was not contacted. */
  readonly connections: () => number
}

/** A real server for one test that records what it receives. */
export const serve = async (listener: RequestListener, host = '127.0.0.1', port = 0): Promise<LocalServer> => {
  const requests: Recorded[] = []
  let connections = 0
  const server = createServer((request, response) => {
    requests.push({ method: request.method!, path: request.url!, headers: request.headers })
    listener(request, response)
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { server, port: (server.address() as AddressInfo).port, requests, connections: () => connections }
}

/** A server of raw TCP, for what no HTTP library would send. */
export const serveRaw = async (onConnection: (socket: Socket) => void): Promise<{ url: string; sockets: Socket[] }> => {
  const sockets: Socket[] = []
  const server = createTcpServer(socket => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.resume() // else it would not notice its end
    onConnection(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, sockets }
}

/** The text of a response. */
export const readText = async (body: AsyncIterable<Uint8Array>): Promise<string> =>
  Buffer.concat(await Array.fromAsync(body)).toString()
