import { join } from 'node:path'
import { TOKEN } from '../contestants/bench-server.ts'
import { startContestant } from '../harness/contestant.ts'
import { interleave, medianRatio } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import { round } from '../harness/result.ts'
import type { Scenario } from '../harness/scenario.ts'

const CONNECTIONS = 64
const SECONDS = 3
const BODY = { command: ['true'], name: 'post', labels: { team: 'data' } }

/** Single submissions over HTTP, acknowledged after fsync, against the same route that stores nothing. */
export const scenario: Scenario = {
  name: 'post',
  about: `POST /v1/jobs over ${CONNECTIONS} connections, durable against the same route that stores nothing`,
  async run(context) {
    const server = await startContestant(context, {
      module: 'contestants/post.ts',
      options: { dataDir: join(context.directory, 'data'), settings: { roles: 'api', 'max-queued': '1000000000' } },
    })
    const load = await startContestant(context, { module: 'peers/autocannon.ts', options: {} })
    const addresses = await server.call<{ durable: string; empty: string }>('addresses')
    const post = (url: string, seconds: number) => () =>
      load.call<number>('post', { url, token: TOKEN, body: BODY, connections: CONNECTIONS, seconds })
    const machine = await openMachine()
    try {
      await post(addresses.durable, 2)()
      await post(addresses.empty, 2)()
      const rounds = await interleave({
        machine,
        sides: { durable: post(addresses.durable, SECONDS), empty: post(addresses.empty, SECONDS) },
        rounds: context.rounds,
        note: context.note,
      })
      const { ratio, a, b, spread } = medianRatio(rounds, 'durable', 'empty')
      const range = spread.map(value => value.toFixed(2)).join('…')
      const figures = `${round(a)} : ${round(b)} requests/s (rounds ${range} ×)`
      return [{ name: 'post/empty-route', value: ratio, unit: '×', bound: 0.7, good: 'at least', figures }]
    } finally {
      await Promise.all([machine.close(), load.close(), server.close()])
    }
  },
}
