import { findInexactNumbers } from '../model/inexact-numbers.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'

/** JSON as a user gives it. Throws `SyntaxError` where it is none, `CliFailure` where one of its numbers would be sent as another. */
export const readJson = (text: string): unknown => {
  const value: unknown = JSON.parse(text)
  const [fault] = findInexactNumbers(`[${text}]`)
  if (fault === undefined) return value
  const field = fault.path.replace(/^0\.?/, '')
  throw new CliFailure(`${field === '' ? '' : `${field}: `}${fault.message}`, { exitCode: EXIT.usage })
}
