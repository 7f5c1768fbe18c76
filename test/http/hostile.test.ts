import { describe } from 'vitest'
import { startTestServer } from '../server.ts'
import { hostileSuite } from './hostile-suite.ts'

describe('no request causes a server fault, on the embedded store', () => {
  hostileSuite(() => startTestServer({ settings: { 'max-body-bytes': '1MiB' } }))
})
