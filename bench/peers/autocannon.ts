import autocannon from 'autocannon'

type Load = {
  readonly url: string
  readonly token: string
  readonly body: unknown
  readonly connections: number
  readonly seconds: number
}

/** Load in a process of its own, so that making it does not slow what is measured more than it must. */
export const open = async () => ({
  /** POSTs over that many connections, one request at a time on each; gives requests per second, all answered with 201. */
  async post({ url, token, body, connections, seconds }: Load): Promise<number> {
    const result = await autocannon({
      url,
      connections,
      duration: seconds,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const others = result.non2xx + result.errors + result.timeouts
    if (others > 0) throw new Error(`${others} requests were not answered with 2xx`)
    return result['2xx'] / result.duration
  },
  close: () => Promise.resolve(),
})
