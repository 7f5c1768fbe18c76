/**
 * What content is if it is not rows of text, as a message for the user; null: it may be rows. `hasRows`: whether it parses as rows, which may begin with a tag.
 */
export const otherContent = (bytes: Buffer, hasRows: () => boolean): string | null => {
  if (isUtf16(bytes)) return 'The content is UTF-16: say encoding: utf-16le (or utf-16be), or convert it to UTF-8.'
  for (const { starts, at = 0, says } of KINDS)
    if (starts.some(start => bytes.subarray(at, at + start.length).equals(Buffer.from(start, 'latin1')))) return says
  return otherMarkup(bytes.subarray(0, MARKUP_BYTES).toString('latin1'), hasRows)
}

const UNPACK = 'unpack it; gzip and zstd are read as they are.'

/** Signatures from the specifications. That of tar follows its first file name. */
const KINDS: readonly { readonly starts: readonly string[]; readonly at?: number; readonly says: string }[] = [
  { starts: ['PAR1'], says: 'The content is Parquet: say format: parquet.' },
  {
    starts: ['PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'],
    says: `The content is a ZIP archive (so is xlsx): ${UNPACK}`,
  },
  { starts: ['\x1f\x8b'], says: 'The content is still compressed with gzip: leave compression out, or unpack it.' },
  {
    starts: ['\x28\xb5\x2f\xfd'],
    says: 'The content is still compressed with zstd: leave compression out, or unpack it.',
  },
  {
    starts: [1, 2, 3, 4, 5, 6, 7, 8, 9].map(level => `BZh${level}1AY&SY`),
    says: `The content is compressed with bzip2: ${UNPACK}`,
  },
  { starts: ['\xfd7zXZ\0'], says: `The content is compressed with xz: ${UNPACK}` },
  { starts: ['\x04\x22\x4d\x18'], says: `The content is compressed with lz4: ${UNPACK}` },
  { starts: ['7z\xbc\xaf\x27\x1c'], says: `The content is a 7z archive: ${UNPACK}` },
  { starts: ['Rar!\x1a\x07'], says: `The content is a RAR archive: ${UNPACK}` },
  { starts: ['ustar'], at: 257, says: `The content is a tar archive: ${UNPACK}` },
  {
    starts: ['\x89PNG\r\n\x1a\n', '\xff\xd8\xff', 'GIF87a', 'GIF89a'],
    says: 'The content is an image: it has no rows that could be read.',
  },
  { starts: ['%PDF-'], says: 'The content is PDF: it has no rows that could be read.' },
  { starts: ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'], says: 'The content is a file of Excel or Word: save it as CSV.' },
  { starts: ['SQLite format 3\0'], says: 'The content is a database of SQLite: export its tables as CSV.' },
  { starts: ['ARROW1\0\0'], says: 'The content is Arrow: write it as Parquet.' },
  { starts: ['Obj\x01'], says: 'The content is Avro: write it as Parquet.' },
]

/** Detects a byte order mark, or that every other byte at the beginning is zero. */
const isUtf16 = (bytes: Buffer): boolean => {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return true
  const head = bytes.subarray(0, 256)
  const zeros = head.filter(byte => byte === 0).length
  return head.length >= 8 && zeros >= head.length * 0.4 && zeros <= head.length * 0.6
}

/** Comments may precede the first tag. */
const MARKUP_BYTES = 64 * 1024

const otherMarkup = (text: string, hasRows: () => boolean): string | null => {
  let start = withoutSpace(text)
  const isXml = /^<\?xml\s/i.test(start)
  if (isXml) start = withoutSpace(start.slice(start.indexOf('>') + 1))
  const isComment = start.startsWith('<!--')
  while (start.startsWith('<!--')) {
    const end = start.indexOf('-->')
    start = end === -1 ? '' : withoutSpace(start.slice(end + '-->'.length))
  }
  if (PAGE.test(start) || (isComment && !isXml) || (PART.test(start) && !hasRows()))
    return 'The content is a page of HTML: the address leads to a page about the file, or asks to log in.'
  return isXml ? 'The content is XML: it has no rows that could be read.' : null
}

/** Strips white space and UTF-8's byte order mark, as read in Latin-1. */
const withoutSpace = (text: string): string => text.replace(/^(?:\s|\xef\xbb\xbf)+/, '')

/** Tags that pages begin with. */
const PAGE = /^<(?:!doctype|(?:html|head|body|title|meta|link|base|style|script|noscript|template)(?=[\s/>]))/i

/** Tags that parts of pages begin with, and values cut out of them. */
const PART =
  /^<(?:header|footer|nav|main|section|article|div|span|p|h[1-6]|table|ul|ol|dl|form|iframe|img|svg|br|hr|center|font|pre)(?=[\s/>])/i
