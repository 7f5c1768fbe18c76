import type { NewJob } from '../../model/job.ts'

/** What is only handed back and never asked for: one column instead of six keeps batches fast. */
export type JobOptions = Pick<NewJob, 'retry' | 'restartable' | 'timeoutMs' | 'graceMs' | 'scopes' | 'rerunOf'>

/** Jobs of a batch mostly agree in these: the last text is kept, and so is what it was made from. */
let last: { readonly options: JobOptions; readonly text: string } | undefined

export const toOptions = ({ retry, restartable, timeoutMs, graceMs, scopes, rerunOf }: NewJob): string => {
  const is = last?.options
  const isLast =
    is?.retry === retry &&
    is.restartable === restartable &&
    is.timeoutMs === timeoutMs &&
    is.graceMs === graceMs &&
    is.scopes === scopes &&
    is.rerunOf === rerunOf
  if (!last || !isLast) {
    const options: JobOptions = { retry, restartable, timeoutMs, graceMs, scopes, rerunOf }
    last = { options, text: JSON.stringify(options) }
  }
  return last.text
}

export const fromOptions = (text: string): JobOptions => {
  if (last?.text !== text) last = { options: JSON.parse(text) as JobOptions, text }
  return last.options
}
