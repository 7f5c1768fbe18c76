const BATCH = 1000

/** Submits that many jobs a thousand at a time; `submitters` batches are under way at once. */
export const submitInBatches = async (input: {
  jobs: number
  submitters: number
  submit: (size: number) => Promise<unknown>
}): Promise<void> => {
  let left = input.jobs
  const submitter = async (): Promise<void> => {
    while (left > 0) {
      const size = Math.min(BATCH, left)
      left -= size
      await input.submit(size)
    }
  }
  await Promise.all(Array.from({ length: input.submitters }, submitter))
}
