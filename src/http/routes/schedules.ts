import { toTimestamp } from '../../kernel/clock.ts'
import { type FieldError, refuseFields } from '../../kernel/errors.ts'
import type { App } from '../app.ts'
import { PreviewAnswer } from '../schemas/workflow.ts'
import { PreviewBody } from '../schemas/workflow-body.ts'
import type { Services } from '../services.ts'
import { readTime } from '../time.ts'

/** Previews a schedule before it is used. */
export const scheduleRoutes = (app: App, { engine, clock }: Services): void => {
  app.post(
    '/v1/schedules/preview',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Preview the slots of an unsaved schedule',
        body: PreviewBody,
        response: { 200: PreviewAnswer },
      },
    },
    async request => {
      const { schedule, after: text, count = 10 } = request.body
      const errors: FieldError[] = []
      const after = readTime({ path: 'after', text, errors }) ?? clock.now()
      refuseFields(errors)
      return { slots: engine.workflows.preview({ schedule, after, count }).map(toTimestamp) }
    },
  )
}
