import { openDataScene } from './scene.ts'
import { describeWaiting } from './waiting-suite.ts'

describeWaiting('with the embedded store', slots => openDataScene({ settings: { 'max-workers': String(slots) } }))
