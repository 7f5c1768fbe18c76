import { expect, test } from 'vitest'
import { serve } from '../../../../test/fetch/local-server.ts'
import { s3Address } from './s3-source.ts'

const KEYS = { access_key_id: 'AK', secret_access_key: 'SK' }

test.each(['plain', 'x--use1-az4--x-s3'])(
  'a URL in the bucket %s is signed without contacting its endpoint',
  async bucket => {
    const { port, connections } = await serve((_request, response) => response.end('<CreateSessionResult/>'))
    const endpoint = `http://127.0.0.1:${port}`
    const address = await s3Address({ url: `s3://${bucket}/a/key.csv`, endpoint, ...KEYS })
    expect(connections()).toBe(0)
    expect(new URL(address).origin).toBe(endpoint)
    expect(new URL(address).pathname).toMatch(new RegExp(`^/${bucket}//?a/key.csv$`))
    expect(new URL(address).searchParams.get('X-Amz-Credential')).toMatch(/^AK\//)
  },
)
