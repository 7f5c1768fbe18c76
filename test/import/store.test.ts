import { openImportScene } from './scene.ts'
import { describeImportsAndOthers } from './store-suite.ts'

describeImportsAndOthers('imports, with the embedded store', () => openImportScene())
