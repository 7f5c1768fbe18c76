/** The base64 of a text at any position in the encoded data: three alignments, in the standard and the URL-safe alphabet. */
export const base64Forms = (text: string): readonly string[] => {
  const bytes = Buffer.from(text)
  return [0, 1, 2]
    .map(before => alignedBase64(bytes, before))
    .flatMap(form => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

/** The base64 of the bytes after `before` others (modulo 3), without the characters that depend on the surrounding data. */
const alignedBase64 = (bytes: Buffer, before: number): string => {
  const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
}
