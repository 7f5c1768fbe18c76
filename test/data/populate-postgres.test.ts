import { describePopulates } from './populate-suite.ts'
import { openPostgresDataScene } from './postgres-scene.ts'

describePopulates('populates, with PostgreSQL', openPostgresDataScene)
