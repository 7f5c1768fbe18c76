import { describe } from 'vitest'
import { startTestServer } from '../server.ts'
import { hostileSuite } from './hostile-suite.ts'

describe('nothing a caller sends is a fault of the server, on the embedded store', () => {
  hostileSuite(() => startTestServer({ settings: { 'max-body-bytes': '1MiB' } }))
})
