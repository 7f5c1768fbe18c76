import { expect, test } from 'vitest'
import { useImportScene } from './use-import-scene.ts'

/** CSV with lines above its header, and in encodings other than UTF-8. */
const scene = useImportScene('csv', { columns: { id: 'Int64', name: 'String', price: 'Nullable(Float64)' } })
const { load } = scene

test.each([
  ['with a quote that opens', '"Sales of\nmade by me\nid,name,price\n1,one,1.5\n2,two,\n', 2],
  ['with delimiters, and an empty one', 'a,b,c\r\n\r\nid,name,price\r\n1,one,1.5\r\n2,two,\r\n', 2],
  ['above one that names the delimiter', '\ufeffSales\nsep=;\nprice;id;name\n1.5;1;one\n;2;two\n', 1],
  ['that end with CR', 'Sales\r"\rid,name,price\r1,one,1.5\r2,two,\r', 2],
  ['above rows without names', 'Sales\n1,one,1.5\n2,two,\n', 1],
])('skipped lines are no data: %s', async (_, text, skip_lines) => {
  expect(await load(text, { skip_lines })).toMatchObject({
    status: 'completed',
    statistics: { rows_written: 2, rows_read: 2, quarantine_rows: 0, invalid_lines: 0 },
  })
  expect(await scene.table(scene.name)).toEqual([
    ['1', 'one', '1.5'],
    ['2', 'two', null],
  ])
})

test('skipped lines count in the line numbers of invalid lines and open quotes', async () => {
  const text = 'Sales\n"\nid,name,price\n1,one,1\n2,two\n3,three,3\n'
  const short = await load(text, { skip_lines: 2 })
  expect(short.statistics).toMatchObject({ rows_written: 2, invalid_lines: 1 })
  expect(await scene.log(short.job_id)).toContain('line 5 has 2 columns, not 3: 2,two')
  const broken = await load(`${text}4,"four"x,4\n`, { skip_lines: 2, header: true })
  expect(await scene.log(broken.job_id)).toContain('line 7 has something behind a closing quote: 4,"four"x,4')
  const open = await load(`${text}4,"four,4\n`, { skip_lines: 2 })
  expect([open.error.code, open.error.message]).toEqual([
    'content_unreadable',
    expect.stringContaining('opened in line 7'),
  ])
})

test.each([
  ['windows-1252', Buffer.from('id,name,price\n1,M\xfcller,1.5\n', 'latin1'), 'Müller'],
  ['UTF-16LE', Buffer.from('\ufeffid\tname\tprice\r\n1\tÜ 😀\t1.5\r\n', 'utf16le'), 'Ü 😀'],
  ['shift_jis', Buffer.concat([Buffer.from('1,'), Buffer.from([0x93, 0xfa]), Buffer.from(',1.5\n')]), '日'],
])('text in %s is read when that encoding is given', async (encoding, content, text) => {
  const job = await scene.import({ datasource: scene.name, url: scene.give(`/${scene.name}.csv`, content), encoding })
  expect(job.statistics).toMatchObject({ rows_written: 1, quarantine_rows: 0, bytes_read: content.length })
  expect(await scene.table(scene.name)).toEqual([['1', text, '1.5']])
})

test('bytes that are not of the encoding fail the import, and an unknown encoding is refused', async () => {
  const url = scene.give(`/${scene.name}.csv`, Buffer.from([...Buffer.from('1,'), 0xff, 0x0a]))
  const { error } = await scene.import({ datasource: scene.name, url, encoding: 'euc-kr' })
  expect([error.code, error.message]).toEqual(['content_unreadable', expect.stringContaining('not euc-kr')])
  const refused = await scene.call('POST', '/v1/jobs', { import: { datasource: scene.name, url, encoding: 'ebcdic' } })
  expect([refused.status, refused.body.errors[0].path]).toEqual([422, 'import.encoding'])
})

test('binary content is recognized even if lines are to be skipped', async () => {
  for (const [content, said] of [
    ['PK\x03\x04'.padEnd(9000, 'x\n'), 'ZIP'],
    ['<!doctype html>\n<html>\n', 'HTML'],
  ] as const) {
    const { error } = await load(content, { skip_lines: 1 })
    expect([error?.code, error?.message]).toEqual(['content_unreadable', expect.stringContaining(said)])
  }
})

test('skipping more lines than there are leaves no rows', async () => {
  const { statistics } = await load('id,name,price\n1,one,1\n', { skip_lines: 3 })
  expect(statistics).toMatchObject({ rows_read: 0, rows_written: 0, invalid_lines: 0 })
})

test('text that is not UTF-8, far after invalid rows, is quarantined', async () => {
  const rows = Array.from(
    { length: 600_000 },
    (_, index) => `${index},name ${index},${index % 1000 === 7 ? 'dear' : 1.5}\n`,
  )
  const first = Buffer.from(rows.join(''))
  const last = Buffer.from('600000,caf\xe9,1\n', 'latin1')
  let finish: (() => void) | null = null
  const url = scene.give(`/${scene.name}.csv`, (_, response) => {
    response.writeHead(200, { 'content-length': first.length + last.length })
    response.write(first)
    finish = () => response.end(last)
  })
  const id = await scene.submit({ datasource: scene.name, url })
  await expect.poll(async () => (await scene.job(id)).progress?.message, { timeout: 20_000 }).toMatch(/ rows$/)
  finish!()
  expect(await scene.job(id, 60)).toMatchObject({
    status: 'completed',
    statistics: { rows_read: 600_001, rows_written: 599_400, quarantine_rows: 601 },
  })
  expect(await scene.value(`SELECT name FROM ${scene.name}_quarantine WHERE id = '600000'`)).toBe('caf\ufffd')
  expect(await scene.value(`SELECT count() FROM ${scene.name}`)).toBe('599400')
})
