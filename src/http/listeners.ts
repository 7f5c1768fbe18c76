import type { Server } from 'node:http'
import type { App } from './app.ts'

/**
 * All servers by which the API is reached. For `localhost` Fastify opens one more for each address that the name has beside the first, and
 * `app.server` is the first alone; of the others it tells nothing but their addresses.
 */
export const listenersOf = (app: App): readonly Server[] => {
  const own = Object.getOwnPropertySymbols(app).find(({ description }) => description === 'fastify.serverBindings')
  const others = own === undefined ? [] : (app as unknown as Record<symbol, readonly Server[]>)[own]!
  return [app.server, ...others]
}
