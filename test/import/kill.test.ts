import { describeKills } from './kill-suite.ts'

describeKills('with the embedded store', async () => ({ settings: {}, environment: {}, drop: async () => {} }))
