import { MillraceError } from '../kernel/errors.ts'
import { isId } from '../kernel/ids.ts'
import { PLAIN_TEXT } from '../model/patterns.ts'
import type { App } from './app.ts'

/** Names of workflows, which may be used instead of ids. */
const NAME = new RegExp(PLAIN_TEXT, 'u')
const LONGEST_NAME = 255

/** Checks that every path parameter is an id, or a name where that is allowed. Any other text cannot exist in any workspace. */
export const checkPaths = (app: App): void => {
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.is404) {
      done()
      return
    }
    for (const [name, value] of Object.entries(request.params as Record<string, string>)) {
      const isRight = RIGHT[name] ?? isId
      if (!isRight(value)) {
        const thing = name === 'datasource' ? 'data source' : name.replace('_id', '')
        const why = isRight === isDataName ? ': names are of letters, digits and "_", 128 at most' : ''
        done(new MillraceError('not_found', `There is no ${thing} ${JSON.stringify(value)}${why}.`))
        return
      }
    }
    done()
  })
}

/** Whether a workflow may have that name. */
export const isName = (text: string): boolean => text.length <= LONGEST_NAME && NAME.test(text)

/** Names and ids of data sources and pipes: `nameFault` accepts only names of this form. */
const isDataName = (text: string): boolean => /^\w{1,128}$/.test(text)

/** Parameters that accept a name. */
const RIGHT: Readonly<Record<string, (text: string) => boolean>> = {
  workflow: isName,
  datasource: isDataName,
  pipe: isDataName,
  node: isDataName,
}
