import { base64Forms } from './base64-forms.ts'
import { escapedForms } from './escaped-forms.ts'

/** Shorter secrets would mask ordinary words. */
export const MIN_SECRET_LENGTH = 8

/** The texts as which a secret may appear in output. */
export type SecretForms = {
  /** All forms. None contains a newline, so that an ended line never has to wait for the next. */
  readonly all: readonly string[]
  /** The forms that a program may wrap over several lines (`wrapped-base64.ts`). */
  readonly base64: readonly string[]
}

/**
 * The forms of a secret: itself, base64 (three alignments, standard and URL-safe), URL-encoded and JSON-escaped. For a multi-line secret, each line that is
 * long enough is a form, and so is the whole in single-line encodings. For a header value such as `Bearer …`, the part after the scheme is a form too,
 * because that is what programs print.
 */
export const secretForms = (secret: string): SecretForms => {
  if (!isLongEnough(secret)) return { all: [], base64: [] }
  const whole = secret.toWellFormed()
  const texts = [whole, ...whole.split(/\r\n|\n/), ...credentials(whole)].filter(isLongEnough)
  const base64 = [...new Set(texts.flatMap(base64Forms))]
  const forms = new Set([...texts.flatMap(text => [text, ...escapedForms(text)]), ...base64])
  return { all: [...forms].filter(form => isLongEnough(form) && !form.includes('\n')), base64 }
}

const isLongEnough = (text: string): boolean => [...text].length >= MIN_SECRET_LENGTH

/** RFC 9110, 11.4: a scheme, a space and the credentials. */
const credentials = (text: string): readonly string[] => /^[A-Za-z][\w-]{0,31} +(\S+)$/.exec(text)?.slice(1) ?? []
