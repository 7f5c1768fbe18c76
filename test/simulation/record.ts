import type { Store } from '../../src/store/store.ts'
import type { Model } from './model.ts'

/** The store, with everything it does reported to the model, whether or not the caller gets the answer. */
export const record = (store: Store, model: Model): Store => {
  store.onSignal(signal => {
    if (signal.type === 'events') for (const event of signal.events) model.jobMoved(event)
    if (signal.type === 'run_events') for (const event of signal.events) model.runMoved(event)
  })
  return {
    ...store,
    createWorkflow: async input => {
      const max = input.maxConsecutiveFailures
      model.workflows.set(input.id, { state: 'active', failures: 0, max })
      return store.createWorkflow(input)
    },
    replaceWorkflow: async input => {
      const outcome = await store.replaceWorkflow(input)
      if (typeof outcome === 'object') model.workflows.get(outcome.id)!.max = outcome.maxConsecutiveFailures
      return outcome
    },
    pauseWorkflow: async input => {
      const outcome = await store.pauseWorkflow(input)
      if (typeof outcome === 'object') model.stateSet(outcome.id, 'paused')
      return outcome
    },
    resumeWorkflow: async input => {
      const outcome = await store.resumeWorkflow(input)
      if (typeof outcome === 'object') model.stateSet(outcome.id, 'active')
      return outcome
    },
    terminateWorkflow: async input => {
      const outcome = await store.terminateWorkflow(input)
      if (typeof outcome === 'object') model.stateSet(outcome.id, 'terminated')
      return outcome
    },
    fireWorkflows: async fires => {
      for (const { run, workflowId, overlap } of fires)
        if (run !== null) model.runs.set(run.id, { workflowId, counts: true, overlap, hasStarted: false, status: null })
      return store.fireWorkflows(fires)
    },
    triggerWorkflow: async input => {
      const counts = model.workflows.get(input.workflowId)!.state !== 'terminated'
      const { workflowId } = input
      model.runs.set(input.run.id, { workflowId, counts, overlap: null, hasStarted: false, status: null })
      return store.triggerWorkflow(input)
    },
    extendRun: async input => {
      const outcome = await store.extendRun(input)
      if (outcome === 'kept') model.extended()
      return outcome
    },
    claimJobs: async input => {
      const jobs = await store.claimJobs(input)
      model.claimed(jobs)
      return jobs
    },
    endAttempts: async ends => {
      const results = await store.endAttempts(ends)
      model.ended(ends, results)
      return results
    },
  }
}
