import type { App } from '../../app.ts'
import { takeJson } from '../../bodies/json-body.ts'

/**
 * Accepts forms in addition to JSON: `curl -d` sends them. A form becomes an object of texts, which is also what an `Idempotency-Key` compares. A repeated name
 * becomes a list, which no field accepts.
 */
export const readForms = (app: App): void => {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, form, done) =>
    takeJson(request, Buffer.from(JSON.stringify(fieldsOf(String(form)))), done),
  )
}

const fieldsOf = (form: string): Readonly<Record<string, string | readonly string[]>> => {
  const parameters = new URLSearchParams(form)
  const names = [...new Set(parameters.keys())]
  return Object.fromEntries(
    names.map(name => {
      const values = parameters.getAll(name)
      return [name, values.length === 1 ? values[0]! : values]
    }),
  )
}
