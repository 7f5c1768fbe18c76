import { describePopulates } from './populate-suite.ts'
import { openDataScene } from './scene.ts'

describePopulates('populates, with the embedded store', openDataScene)
