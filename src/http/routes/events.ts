import type { App } from '../app.ts'
import type { LiveStreams } from '../live-streams.ts'
import type { Services } from '../services.ts'
export const eventRoutes = (app: App, _s: Services & { readonly streams: LiveStreams }): void => {
  app.get('/v1/events', async () => ({}))
}
