import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** These look at their own process: at its memory or its children. Each has a process to itself. */
const ALONE = [
  'test/{blobs/file-blobs,blobs/s3-blobs,logs/follow,logs/write,survive/hard-jobs,warehouse/engine-http}.test.ts',
  'test/command/{artifacts,directories,isolation,outcome,output}.test.ts',
]

/** These mostly wait: for a limit, a lease, a retry, a slow statement. It takes several at once to keep the processors busy. */
const WAITING = [
  'test/blobs/{server-on-s3,silent-s3,store-away}.test.ts',
  'test/chaos/kill*.test.ts',
  'test/command/{ending,loss}.test.ts',
  'test/data/{delete,populate,populate-postgres,stops,waiting,waiting-postgres}.test.ts',
  'test/import/{progress,sources}.test.ts',
  'test/many/{killed-home,tables-home,taken-tables}.test.ts',
  'test/query/{loss,silent-engine,sql}.test.ts',
  'test/survive/{clock,database-gone,database-silent,full-disk,many-connections}.test.ts',
]

const common = {
  // Node runs the sources as they are, which costs less than transforming them. There are no mocks, for which that is needed.
  experimental: { viteModuleRunner: false },
  // For the threads and programs that tests start; it is where the program itself has it.
  env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // Instead of one second, which a condition can take to come true on a busy machine.
  expect: { poll: { timeout: 30_000 } },
}

/** Large files go first, since most take longest: begun last, a long one would run alone. Kills, hard jobs, and files that run a suite are short to write. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const long = new Set(sorted.filter(file => isLong(file.moduleId)))
    return [...long, ...sorted.filter(file => !long.has(file))]
  }
}

const isLong = (path: string): boolean =>
  /\/(kill|hard)/.test(path) || readFileSync(path, 'utf8').includes("-suite.ts'")

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: { ...common, name: 'alone', include: ALONE, sequence: { groupOrder: 0 } },
      },
      {
        test: {
          ...common,
          name: 'waiting',
          include: WAITING,
          isolate: false,
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      // One file after the other in the same processes, which load the program once. Three, since most files wait now and then.
      {
        test: {
          ...common,
          name: 'shared',
          include: ['{src,test}/**/*.test.ts'],
          exclude: [...ALONE, ...WAITING],
          isolate: false,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
