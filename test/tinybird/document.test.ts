import { openDataScene } from '../data/scene.ts'
import { describeDocument } from './document-suite.ts'

describeDocument('with the embedded store', settings => openDataScene({ settings }))
