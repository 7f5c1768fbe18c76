/** What base64 makes of a text that stands anywhere in what is encoded: three alignments, the standard and the URL-safe alphabet. */
export const base64Forms = (text: string): readonly string[] => {
  const bytes = Buffer.from(text)
  return [0, 1, 2]
    .map(before => alignedBase64(bytes, before))
    .flatMap(form => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

/** What base64 makes of the bytes after `before` others (modulo 3), without the characters that depend on what stands around. */
const alignedBase64 = (bytes: Buffer, before: number): string => {
  const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
}
