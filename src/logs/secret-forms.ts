/** Shorter secrets would mask ordinary words. */
export const MIN_SECRET_LENGTH = 8

/** Line lengths at which base64(1) and openssl wrap their output. */
const BASE64_WRAPS = [76, 64]

/**
 * The texts under which a secret may show up in output: itself, base64 (three alignments, standard and URL-safe),
 * URL-encoded and JSON-escaped. None holds a newline, so that a line that has ended never waits for the next: of a secret
 * of several lines each line that is long enough is a form, as is the whole in encodings of one line. Of a header such as
 * `Bearer …` what follows the scheme is one, too: that is what programs print.
 */
export const secretForms = (secret: string): readonly string[] => {
  if ([...secret].length < MIN_SECRET_LENGTH) return []
  const whole = secret.toWellFormed()
  const lines = whole.split(/\r\n|\n/)
  const forms = [whole, ...lines, ...credentials(whole)].flatMap(text => [
    text,
    ...escapedForms(text),
    ...base64Forms(text),
  ])
  return [...new Set(forms)].filter(form => [...form].length >= MIN_SECRET_LENGTH && !form.includes('\n'))
}

/** RFC 9110, 11.4: a scheme, a space, and the credentials themselves. */
const credentials = (text: string): readonly string[] => /^[A-Za-z][\w-]{0,31} +(\S+)$/.exec(text)?.slice(1) ?? []

const escapedForms = (text: string): string[] => {
  const url = encodeURIComponent(text)
  const strictUrl = url.replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  const json = JSON.stringify(text).slice(1, -1)
  const asciiJson = json.replace(/[\u007f-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return [
    ...[url, strictUrl]
      .flatMap(form => [form, form.replaceAll('%20', '+')])
      .flatMap(form => [form, lowerCaseHex(form)]),
    ...[json, asciiJson].flatMap(form => [form, form.replaceAll('/', '\\/')]),
  ]
}

const lowerCaseHex = (url: string): string => url.replace(/%[0-9A-F]{2}/g, code => code.toLowerCase())

const base64Forms = (text: string): string[] => {
  const bytes = Buffer.from(text)
  if ([...text].length < MIN_SECRET_LENGTH) return []
  const aligned = [0, 1, 2].map(before => alignedBase64(bytes, before))
  const wrapped = BASE64_WRAPS.flatMap(width => aligned[0]!.match(new RegExp(`.{1,${width}}`, 'g')) ?? [])
  return [...aligned, ...wrapped].flatMap(form => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

/** What base64 makes of the bytes after `before` others (modulo 3), without the characters that depend on what stands around. */
const alignedBase64 = (bytes: Buffer, before: number): string => {
  const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
}
