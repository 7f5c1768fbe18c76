import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A proxy to a database that can be cut (connections break and new ones are closed at once) or silent (they stay open, and nothing passes). */
export type Way = {
  readonly port: number
  /** Connections that were refused. */
  readonly refused: number
  cut(): void
  silence(): void
  restore(): void
  close(): Promise<void>
}

export const openWay = async (to: URL): Promise<Way> => {
  const sockets = new Set<Socket>()
  let isCut = false
  let isSilent = false
  let refused = 0
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const listener: Server = createServer(near => {
    keep(near)
    if (isCut) {
      refused += 1
      near.destroy()
      return
    }
    const far = connect({ host: to.hostname, port: Number(to.port) })
    keep(far)
    near.pipe(far).pipe(near)
    if (isSilent) for (const socket of [near, far]) socket.pause()
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (listener.address() as AddressInfo).port,
    get refused() {
      return refused
    },
    silence: () => {
      isSilent = true
      for (const socket of sockets) socket.pause()
    },
    cut: () => {
      isCut = true
      breakAll()
    },
    restore: () => {
      isCut = false
      isSilent = false
      for (const socket of sockets) socket.resume()
    },
    close: async () => {
      breakAll()
      listener.close()
      await once(listener, 'close')
    },
  }
}
