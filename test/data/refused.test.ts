import { describeRefusals } from './refused-suite.ts'
import { openDataScene } from './scene.ts'

describeRefusals('rows that the engine refuses, with the embedded store', openDataScene)
