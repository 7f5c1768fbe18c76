import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import { LEASE_MS } from '../../model/lease.ts'
import { instrument } from '../../store/instrumented-store.ts'
import type { Store } from '../../store/store.ts'
import type { App } from '../app.ts'
import { countWorkflows } from './workflow-metrics.ts'

/** The metrics of this process, for `/metrics`. */
export type Metrics = {
  readonly registry: Registry
  /** Wraps the store to measure each operation, and to count schedules and deliveries. */
  instrument(store: Store): Store
  /** Measures every request of the app, by route. */
  observe(app: App): void
  /** Adds gauges that are read from the store on each scrape. */
  watch(store: Store): void
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Creates the metrics of this process, with those of Node itself. */
export const createMetrics = (): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'millrace_' })
  const registers = [registry]
  const requests = new Histogram({
    name: 'millrace_http_request_duration_seconds',
    help: 'Requests by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  })
  const operations = new Histogram({
    name: 'millrace_store_operation_duration_seconds',
    help: 'Operations of the store.',
    labelNames: ['operation'],
    buckets: SECONDS,
    registers,
  })
  const failures = new Counter({
    name: 'millrace_store_failures_total',
    help: 'Operations of the store that failed.',
    labelNames: ['operation'],
    registers,
  })
  return {
    registry,
    instrument: store =>
      instrument(countWorkflows(store, registers), (operation, milliseconds, failed) => {
        operations.labels({ operation }).observe(milliseconds / 1000)
        if (failed) failures.labels({ operation }).inc()
      }),
    observe: app => observe(app, requests),
    watch: store => watch(store, registers),
  }
}

type RequestHistogram = Histogram<'method' | 'route' | 'status'>

const observe = (app: App, requests: RequestHistogram): void => {
  const known = new Map<string, { observe(seconds: number): void }>()
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none'
    const status = String(reply.statusCode)
    const name = `${request.method} ${status} ${route}`
    let child = known.get(name)
    if (!child) {
      child = requests.labels({ method: request.method, route, status })
      known.set(name, child)
    }
    child.observe(reply.elapsedTime / 1000)
    done()
  })
}

const watch = (store: Store, registers: Registry[]): void => {
  const jobs = new Gauge({
    name: 'millrace_jobs',
    help: 'Jobs that have not ended.',
    labelNames: ['status', 'kind'],
    registers,
    collect: () => readQueues(),
  })
  const oldest = new Gauge({
    name: 'millrace_oldest_queued_seconds',
    help: 'How long the oldest queued job has waited; 0 when none waits.',
    registers,
    collect: () => readQueues(),
  })
  const runs = new Gauge({
    name: 'millrace_open_runs',
    help: 'Runs that have not ended.',
    registers,
    collect: () => readQueues(),
  })
  const deliveries = new Gauge({
    name: 'millrace_pending_deliveries',
    help: 'Deliveries that have not come to their sinks yet.',
    registers,
    collect: () => readQueues(),
  })
  const readQueues = shared(async () => {
    const { counts, oldestQueuedAt, openRuns, pendingDeliveries } = await store.queueStatistics()
    // Jobs are queued by the clock of the store, with which ours need not agree.
    const now = await store.now()
    runs.set(openRuns)
    deliveries.set(pendingDeliveries)
    jobs.reset()
    for (const { status, kind, count } of counts) jobs.labels({ status, kind }).set(count)
    oldest.set(oldestQueuedAt === null ? 0 : Math.max(0, now - oldestQueuedAt) / 1000)
  })
  const running = new Gauge({
    name: 'millrace_slots_in_use',
    help: 'Jobs that a worker runs, those included that wait for tables without a slot.',
    labelNames: ['worker'],
    registers,
    collect: () => readWorkers(),
  })
  const slots = new Gauge({
    name: 'millrace_slots',
    help: 'Slots of a worker.',
    labelNames: ['worker'],
    registers,
    collect: () => readWorkers(),
  })
  const readWorkers = shared(async () => {
    const [workers, now] = await Promise.all([store.listWorkers(), store.now()])
    slots.reset()
    running.reset()
    // Lost workers stay listed for a day. Their slots no longer exist, and each restart would leave a time series behind.
    for (const worker of workers.filter(({ seenAt, running }) => now - seenAt < LEASE_MS || running > 0)) {
      slots.labels({ worker: worker.id }).set(worker.slots)
      running.labels({ worker: worker.id }).set(worker.running)
    }
  })
}

/** Gauges of one source are collected concurrently, and share one read. */
const shared = (read: () => Promise<void>): (() => Promise<void>) => {
  let reading: Promise<void> | null = null
  return () => {
    reading ??= read().finally(() => {
      reading = null
    })
    return reading
  }
}
