import type { DataStore } from '../../data-store.ts'
import type { Threads } from '../jobs/job-methods.ts'
import { decodeJob } from '../jobs/job-row.ts'

/** The catalogue, table locks, and pending publications. */
export const dataMethods = ({ clock, read, write }: Threads): DataStore => {
  const now = () => clock.now()
  return {
    readCatalogue: input => read.call('readCatalogue', input, now()),
    changeCatalogue: input => write.call('changeCatalogue', input, now()),
    lockTables: input => write.call('lockTables', input, now()),
    unlockTables: input => write.call('unlockTables', input, now()),
    commitPublication: input => write.call('commitPublication', input, now()),
    revokePublication: input => write.call('revokePublication', input, now()),
    getPublication: input => read.call('getPublication', input, now()),
    listPublications: input => read.call('listPublications', input, now()),
    purgePublications: input => write.call('purgePublications', input, now()),
    listChangedJobs: async input =>
      (await read.call('listChangedJobs', input, now())).map(row => decodeJob(row, now())),
  }
}
