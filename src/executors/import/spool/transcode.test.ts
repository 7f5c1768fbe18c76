import { expect, test } from 'vitest'
import { encodingFault, transcoded } from './transcode.ts'

const read = async (bytes: Uint8Array, label: string, size = bytes.length || 1): Promise<string> => {
  async function* content() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const parts: Buffer[] = []
  for await (const part of transcoded(content(), label)) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString()
}

test.each([
  ['windows-1252', Buffer.from('M\xfcller \x80', 'latin1'), 'Müller €'],
  ['latin1', Buffer.from('M\xfcller', 'latin1'), 'Müller'],
  ['UTF-16', Buffer.from('\ufeffid,ü,😀\n', 'utf16le'), 'id,ü,😀\n'],
  ['utf-16be', Buffer.from('\ufeffid,ü,😀\n', 'utf16le').swap16(), 'id,ü,😀\n'],
  ['shift_jis', Buffer.from([0x93, 0xfa, 0x96, 0x7b]), '日本'],
  ['utf-8', Buffer.from('\ufeffü'), 'ü'],
  ['utf-16', Buffer.from('\ufeffid,ü,😀\n', 'utf16le').swap16(), 'id,ü,😀\n'],
  ['windows-1252', Buffer.from('\ufeffü'), 'ü'],
  ['koi8-r', Buffer.alloc(0), ''],
])(
  '%s is converted to UTF-8, however it is split, and a byte order mark takes precedence',
  async (label, bytes, text) => {
    for (const size of [1, 3, undefined]) expect(await read(bytes, label, size)).toBe(text)
  },
)

test.each([
  ['shift_jis', Buffer.from([0x61, 0x93])],
  ['utf-16le', Buffer.from([0x00, 0xd8, 0x61, 0x00])],
  ['euc-kr', Buffer.from([0xff])],
])('bytes that are not %s are an error', async (label, bytes) => {
  for (const size of [1, undefined])
    await expect(read(bytes, label, size)).rejects.toMatchObject({
      reason: 'content_unreadable',
      message: expect.stringContaining(`The content is not ${label}`),
    })
})

test('an unknown encoding is refused with some known ones', () => {
  expect(encodingFault('Windows-1252')).toBeNull()
  for (const label of ['ebcdic', '', 'utf-7', 'utf8\0']) expect(encodingFault(label)).toContain('windows-1252')
})
