import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { waitUntil } from '../harness/wait-until.ts'

/** A receiver of webhooks that counts them by their id and answers at once. */
export const open = async () => {
  const seen = new Set<string>()
  let requests = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      requests += 1
      seen.add(String(request.headers['webhook-id']))
      response.end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: async (): Promise<string> => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    /** Resolves when so many different ones have arrived since the last call. `twice`: how many came more than once. */
    async arrived(count: number): Promise<{ twice: number }> {
      await waitUntil(() => seen.size >= count, { what: `${count} webhooks arrive`, withinMs: 120_000, everyMs: 2 })
      const twice = requests - seen.size
      seen.clear()
      requests = 0
      return { twice }
    },
    async close(): Promise<void> {
      server.closeAllConnections()
      server.close()
    },
  }
}
