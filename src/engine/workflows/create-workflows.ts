import type { KindDefinition } from '../../executors/kind-definition.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { SecretBox } from '../../store/secrets.ts'
import type { Store } from '../../store/store.ts'
import type { CheckBody } from '../check-body.ts'
import type { RequireRights } from '../require-rights.ts'
import type { Workflows } from '../workflows.ts'
import { createControl } from './control.ts'
import { createDefine } from './define.ts'
import { createExtend } from './extend.ts'
import { createFire, type Fire } from './fire.ts'
import { createItemPreparer } from './prepare-items.ts'
import { createTemplates } from './templates.ts'
import { createTrigger } from './trigger.ts'
import { createUpcoming } from './upcoming.ts'

export type WorkflowsOptions = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly secrets: SecretBox
  readonly definitions: readonly KindDefinition[]
  readonly check: CheckBody
  readonly requireRights: RequireRights
  /** Limit for the items of a run. */
  readonly maxItems: number
  /** Limit for the pending and queued jobs of a workspace. */
  readonly maxQueued: number
}

/** The operations on workflows and runs, and the code that fires them. */
export const createWorkflows = (options: WorkflowsOptions): { readonly workflows: Workflows; readonly fire: Fire } => {
  const prepare = createItemPreparer(options)
  const templates = createTemplates({ ...options, prepare })
  const parts = { ...options, prepare, templates }
  const fire = createFire(parts)
  return {
    workflows: {
      ...createDefine(parts),
      ...createControl({ ...parts, fire }),
      ...createTrigger(parts),
      ...createUpcoming(options),
      extend: createExtend(parts),
    },
    fire,
  }
}
