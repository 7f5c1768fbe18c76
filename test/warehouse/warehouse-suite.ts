import { afterAll, beforeAll, describe } from 'vitest'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { errorTests } from './suite/errors.ts'
import { expressionTests } from './suite/expressions.ts'
import { forbiddenTests } from './suite/forbidden.ts'
import { limitTests } from './suite/limits.ts'
import { queryTests } from './suite/queries.ts'
import { runningQueryTests } from './suite/running-queries.ts'
import { type AreaTests, WarehouseScene } from './suite/scene.ts'
import { statementTests } from './suite/statements.ts'

/** What every warehouse must do, whichever engine is behind it. */
export const describeWarehouse = (name: string, open: () => Promise<Warehouse>): void => {
  describe(name, () => {
    let scene: WarehouseScene
    beforeAll(async () => {
      scene = new WarehouseScene(await open())
      await scene.prepare()
    })
    afterAll(() => scene?.close())

    for (const [area, tests] of AREAS) describe(area, () => tests(() => scene))
  })
}

const AREAS: readonly (readonly [string, AreaTests])[] = [
  ['a query', queryTests],
  ['what a query cannot do', forbiddenTests],
  ['an error', errorTests],
  ['a limit', limitTests],
  ['a running query', runningQueryTests],
  ['an expression of a user', expressionTests],
  ['a statement', statementTests],
]
