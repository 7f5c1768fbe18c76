import type { KindDefinition } from '../executors/kind-definition.ts'
import type { Catalogue } from '../model/catalogue.ts'
import type { NewJob } from '../model/job.ts'
import type { Kind } from '../model/kind.ts'
import type { Store } from '../store/store.ts'
import type { NewRun } from '../store/workflow-store.ts'

type Options = {
  readonly store: Store
  readonly definitions: readonly KindDefinition[]
  readonly readCatalogue: (workspace: string) => Promise<Catalogue>
}

/**
 * Wraps the store so that every stored job carries the data source it writes to. If the body names a pipe, as populates and copies do, the data source is
 * taken from the pipe at the moment the job is stored, whatever creates it (a call, a rerun, a schedule, a trigger, an item of a run).
 */
export const namingSubjects = ({ store, definitions, readCatalogue }: Options): Store => {
  const namers = new Map<Kind, KindDefinition['subjectsIn']>(
    definitions.map(({ kind, subjectsIn }) => [kind, subjectsIn]),
  )

  const nameAll = async (jobs: readonly NewJob[]): Promise<readonly NewJob[]> => {
    if (!jobs.some(({ kind }) => namers.get(kind) !== undefined)) return jobs
    const catalogue = await readCatalogue(jobs[0]!.workspace)
    return jobs.map(job => ({ ...job, ...namers.get(job.kind)?.(JSON.parse(job.spec), catalogue) }))
  }
  const nameRun = async <T extends NewRun | null>(run: T): Promise<T> =>
    run === null ? run : { ...run, items: await nameAll(run.items) }

  const naming: Partial<Store> = {
    submitJobs: async input => store.submitJobs({ ...input, jobs: await nameAll(input.jobs) }),
    triggerWorkflow: async input => store.triggerWorkflow({ ...input, run: await nameRun(input.run) }),
    extendRun: async input => store.extendRun({ ...input, items: await nameAll(input.items) }),
    fireWorkflows: async fires =>
      store.fireWorkflows(await Promise.all(fires.map(async fire => ({ ...fire, run: await nameRun(fire.run) })))),
  }
  return new Proxy(store, {
    get: (target, name) => Reflect.get(naming, name) ?? Reflect.get(target, name, target),
  })
}
