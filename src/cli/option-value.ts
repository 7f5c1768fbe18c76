import { InvalidArgumentError } from 'commander'

/** Collects the values of a repeatable option. */
export const repeated =
  <T>(parse: (value: string) => T) =>
  (value: string, previous: readonly T[] | undefined): readonly T[] => [...(previous ?? []), parse(value)]

/** Parses `KEY=VALUE`, split at the first `=`. */
export const keyValue =
  (form: string) =>
  (value: string): readonly [string, string] => {
    const at = value.indexOf('=')
    if (at <= 0) throw new InvalidArgumentError(`It must be ${form}.`)
    return [value.slice(0, at), value.slice(at + 1)]
  }

/** A whole number, possibly negative; the server checks its bounds. */
export const wholeNumber = (value: string): number => {
  if (!/^-?\d+$/.test(value)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(value)
}

/** A whole number from 1. */
export const count = (value: string): number => {
  const number = wholeNumber(value)
  if (number < 1) throw new InvalidArgumentError('It must be 1 or more.')
  return number
}

/** A number of seconds from 0, fractions allowed. */
export const seconds = (value: string): number => {
  const number = Number(value)
  if (value.trim() === '' || !(number >= 0)) throw new InvalidArgumentError('It must be a number of seconds.')
  return number
}

/** A number of seconds above 0, fractions allowed. */
export const positiveSeconds = (value: string): number => {
  const number = seconds(value)
  if (number === 0) throw new InvalidArgumentError('It must be more than 0.')
  return number
}
