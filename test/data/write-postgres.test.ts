import { openPostgresDataScene } from './postgres-scene.ts'
import { describeWrites } from './write-suite.ts'

describeWrites('with PostgreSQL', () => openPostgresDataScene())
