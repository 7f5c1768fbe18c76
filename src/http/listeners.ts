import type { Server } from 'node:http'
import type { App } from './app.ts'

/**
 * All servers on which the API listens. For `localhost`, Fastify opens an additional server for each further address of the name. `app.server` is only the
 * first; of the others it exposes nothing but their addresses.
 */
export const listenersOf = (app: App): readonly Server[] => {
  const own = Object.getOwnPropertySymbols(app).find(({ description }) => description === 'fastify.serverBindings')
  const others = own === undefined ? [] : (app as unknown as Record<symbol, readonly Server[]>)[own]!
  return [app.server, ...others]
}
