import { findInexactNumbers } from '../model/inexact-numbers.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'

/** Parses JSON from a user. Throws `SyntaxError` if it is invalid, `CliFailure` if one of its numbers would change. */
export const readJson = (text: string): unknown => {
  const value: unknown = JSON.parse(text)
  const [fault] = findInexactNumbers(`[${text}]`)
  if (fault === undefined) return value
  const field = fault.path.replace(/^0\.?/, '')
  throw new CliFailure(`${field === '' ? '' : `${field}: `}${fault.message}`, { exitCode: EXIT.usage })
}

/** JSON, or the text itself if it is none. Throws `CliFailure` if a number would change. */
export const readJsonOrText = (text: string): unknown => {
  try {
    return readJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}
