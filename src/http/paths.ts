import { MillraceError } from '../kernel/errors.ts'
import { isId } from '../kernel/ids.ts'
import type { App } from './app.ts'

/** Every path parameter is an id. A text that cannot be one names nothing, in whichever workspace. */
export const checkPaths = (app: App): void => {
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.is404) {
      done()
      return
    }
    for (const [name, value] of Object.entries(request.params as Record<string, string>)) {
      if (!isId(value)) {
        done(new MillraceError('not_found', `There is no ${name.replace('_id', '')} ${JSON.stringify(value)}.`))
        return
      }
    }
    done()
  })
}

export const noSuchJob = (jobId: string): MillraceError => new MillraceError('not_found', `There is no job ${jobId}.`)
