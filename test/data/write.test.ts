import { openDataScene } from './scene.ts'
import { describeWrites } from './write-suite.ts'

describeWrites('with the embedded store', () => openDataScene())
