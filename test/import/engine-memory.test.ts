import { expect, test } from 'vitest'
import { openImportScene } from './scene.ts'
import { useImportScene } from './use-import-scene.ts'

const scene = useImportScene('ndjson', {
  columns: { id: 'Nullable(Int32)', b: 'Nullable(String)' },
  open: () => openImportScene({ 'engine-memory': '700MiB' }),
})

test('a line of NDJSON that the engine has no memory for is invalid, as it is with more memory', async () => {
  const long = Buffer.concat([Buffer.from('{"id":1,"b":"'), Buffer.alloc(300 * 2 ** 20, 'x'), Buffer.from('"}\n')])
  const others = Buffer.from('{"id":2}\n{"id":"x"}\n')
  for (const content of [[long], [long, others], [others, long]]) {
    const rows = content.length - 1
    expect(await scene.load(Buffer.concat(content))).toMatchObject({
      status: 'completed',
      statistics: { rows_written: rows, quarantine_rows: rows, invalid_lines: 1 },
    })
  }
})
