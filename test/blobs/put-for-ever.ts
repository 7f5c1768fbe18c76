import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { sampleBytes } from './content.ts'

/** A process to be killed during a put: prints the `{key}` of each stored blob and never ends by itself. */
const [directory, writer, size = '1000000'] = process.argv.slice(2)
const blobs = await openFileBlobStore({ directory: directory!, ...(writer && { writer }) })

async function* slowly(size: number) {
  for (let sent = 0; sent < size; sent += 50_000) {
    yield sampleBytes(50_000)
    await new Promise(resolve => setImmediate(resolve))
  }
}

const putAgainAndAgain = async (): Promise<never> => {
  for (;;) {
    const { key } = await blobs.put(slowly(Number(size)))
    process.stdout.write(`${key}\n`)
  }
}

await Promise.all([putAgainAndAgain(), putAgainAndAgain(), putAgainAndAgain()])
