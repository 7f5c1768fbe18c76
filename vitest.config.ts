import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files of these run one after the other in the same process, which loads the program once: a third of their time. */
const SHARED = [
  'src/**/*.test.ts',
  'test/{cli,docs,engine,fetch,house,http,http-job,query,schedule,sinks,tinybird}/**/*.test.ts',
]

const common = {
  // Node runs the sources as they are, which costs less than transforming them. There are no mocks, for which that is needed.
  experimental: { viteModuleRunner: false },
  // For the threads and programs that tests start; it is where the program itself has it.
  env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
  testTimeout: 60_000,
  hookTimeout: 120_000,
}

/** Large files go first, since most take longest. Those that kill servers are short to write: begun last, one would run alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const kills = ({ moduleId }: TestSpecification) => moduleId.includes('/kill')
    return [...sorted.filter(kills), ...sorted.filter(file => !kills(file))]
  }
}

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        // Also tests that look at their own process: at its memory, its open files, its children.
        test: {
          ...common,
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: SHARED,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...common, name: 'shared', include: SHARED, isolate: false, sequence: { groupOrder: 1 } } },
    ],
  },
})
