import { expect, test } from 'vitest'
import { otherContent } from './other-content.ts'
import { hasJsonRows } from './other-json.ts'

const PAGES = [
  '<!DOCTYPE html><html>',
  '\ufeff \r\n\t<!doctype HTML PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">',
  '<html lang="en">',
  '<!-- saved from url=(0014)about:internet -->\n<!-- again --><HTML>',
  `<!--${' licence '.repeat(1000)}-->\n<title>Log in</title>`,
  '<!-- a comment that never ends',
  '<meta charset="utf-8"><title>x</title>',
  '<script>location = "/login"</script>',
  '<head><title>',
  '<body>',
  '<h1>403 Forbidden</h1>',
  '<p>Not found</p>',
  '<div class="error">',
  '<br/>',
  '<?xml version="1.0"?>\n<!DOCTYPE html>',
]

const yes = () => true
const no = () => false

test.each(PAGES)('%j is HTML', text => {
  expect(otherContent(Buffer.from(text), no)).toContain('HTML')
})

test('rows may begin with an HTML element, but not with an HTML page', () => {
  expect(otherContent(Buffer.from('<p>one</p>,1\n<b>,2\n'), yes)).toBeNull()
  expect(otherContent(Buffer.from('<html>,1\n<b>,2\n'), yes)).toContain('HTML')
})

test.each([
  [[0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59], 'bzip2'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'xz'],
  [[0x50, 0x4b, 0x03, 0x04, 0x14], 'ZIP'],
  [[0x50, 0x4b, 0x05, 0x06], 'ZIP'],
  [[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], '7z'],
  [[0x25, 0x50, 0x44, 0x46, 0x2d, 0x31], 'PDF'],
  [[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], 'image'],
  [[0xff, 0xd8, 0xff, 0xe0], 'image'],
  [[0x1f, 0x8b, 0x08], 'gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], 'Excel'],
])('bytes %j are %s', (bytes, what) => {
  expect(otherContent(Buffer.from(bytes), no)).toContain(what)
})

test('a tar archive is recognized by the magic number after its first name', () => {
  const head = Buffer.alloc(512)
  head.write('rows.csv', 0)
  head.write('ustar\0', 257)
  expect(otherContent(head, no)).toContain('tar')
})

test.each([
  'a,b\n1,2\n',
  'BZh,7z,PK\n1,2,3\n',
  '<5,>6\n1,2\n',
  '<path>,<size>\n/a,1\n',
  '<person>,1',
  '"<html>",1\n',
  'html,<body>\n',
  '{"a":"<html>"}\n',
  'x'.repeat(300),
])('%j may be rows', text => {
  expect(otherContent(Buffer.from(text), no)).toBeNull()
})

test.each(['{"id":1}\n', '{"id":1},\n{"id":2}\n', '[{"id":1}]', ' [\n{"id":1}\n]', '{\r\n  "id": 1\n}'])(
  '%j is rows of JSON',
  text => {
    expect(hasJsonRows(Buffer.from(text))).toBe(true)
  },
)

test.each(['id\n1\n', '[id],[name]\n1,2\n', '{id},x\n', '["a"],1\n', ''])('%j is no rows of JSON', text => {
  expect(hasJsonRows(Buffer.from(text))).toBe(false)
})
