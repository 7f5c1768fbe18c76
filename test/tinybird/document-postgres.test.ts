import { openPostgresDataScene } from '../data/postgres-scene.ts'
import { describeDocument } from './document-suite.ts'

describeDocument('with PostgreSQL', openPostgresDataScene)
