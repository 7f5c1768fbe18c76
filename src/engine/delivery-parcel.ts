import type { BlobStore } from '../blobs/blob-store.ts'
import type { Clock } from '../kernel/clock.ts'
import { deliveryBody, isSentInline } from '../model/delivery-body.ts'
import type { Job } from '../model/job.ts'
import { putSecrets } from '../model/secrets.ts'
import type { Sink } from '../model/sink.ts'
import type { Parcel } from '../sinks/sinks.ts'
import type { SecretBox } from '../store/secrets.ts'
import type { ClaimedDelivery } from '../store/sink-store.ts'
import type { Store } from '../store/store.ts'

/** The sink of a delivery with its secrets filled in, or null if the job has no such sink. Throws `WrongSecretKey`. */
export const openSink = ({ delivery, job, secrets }: ClaimedDelivery, box: SecretBox): Sink | null => {
  const { sinks = [] } = JSON.parse(job.spec) as { sinks?: readonly Sink[] }
  const sink = sinks[delivery.sinkIndex]
  if (sink === undefined) return null
  return putSecrets(sink, secrets === null ? {} : box.open(secrets), `sinks.${delivery.sinkIndex}`)
}

type Sources = {
  readonly store: Store
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly publicUrl: string
}

/** Builds what is sent on this try. The result is read anew for each try, because it may have expired in between. */
export const makeParcel = async (
  { store, blobs, clock, publicUrl }: Sources,
  { claimed, sink, signal }: { claimed: ClaimedDelivery; sink: Sink; signal: AbortSignal },
): Promise<Parcel> => {
  const { job, delivery } = claimed
  const content = isSentInline(job) ? await readResult({ store, blobs }, job) : null
  return {
    sink,
    body: deliveryBody(job, { publicUrl, content }),
    deliveryId: delivery.id,
    jobId: job.id,
    runId: job.runId,
    workflowId: job.workflowId,
    now: clock.now(),
    signal,
  }
}

const readResult = async (
  { store, blobs }: Pick<Sources, 'store' | 'blobs'>,
  { id, workspace }: Job,
): Promise<string | null> => {
  const result = await store.getResult({ workspace, jobId: id })
  if (typeof result === 'string') return null
  if ('data' in result.content) return Buffer.from(result.content.data).toString()
  const blob = await blobs.get(result.content.blobKey, { size: result.bytes })
  return blob === null ? null : Buffer.concat(await Array.fromAsync(blob)).toString()
}
