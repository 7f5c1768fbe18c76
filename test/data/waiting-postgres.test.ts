import { openPostgresDataScene } from './postgres-scene.ts'
import { describeWaiting } from './waiting-suite.ts'

describeWaiting('with PostgreSQL', slots => openPostgresDataScene({ 'max-workers': String(slots) }))
