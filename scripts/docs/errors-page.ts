import { ERRORS } from '../../src/kernel/errors.ts'
import { markdownTable } from './markdown-table.ts'

type Entry = { readonly http?: number; readonly failure?: string; readonly title: string; readonly hint: string }

const INTRODUCTION = `# Errors

Made from \`src/kernel/errors.ts\` by \`npm run docs\`; do not edit.

A request that is refused is answered with \`application/problem+json\` (RFC 9457): \`type\`, \`title\`, \`status\`, \`code\`,
\`detail\` and \`errors\`, a list of \`{path, message}\` for wrong fields. A job that failed has the code in
\`status_reason\` and in \`error.code\`. The same table serves both.
`

/** The whole of `docs/errors.md`. */
export const errorsPage = (): string => {
  const entries = Object.entries<Entry>(ERRORS)
  const refusals = entries.filter(([, entry]) => entry.http !== undefined)
  const failures = entries.filter(([, entry]) => entry.failure !== undefined)
  return `${INTRODUCTION}
## Requests that are refused

${markdownTable(
  ['code', 'status', 'what it means', 'what to do'],
  refusals.map(([code, entry]) => [`\`${code}\``, String(entry.http), entry.title, entry.hint]),
)}
## Why a job fails

*user* failures follow the job's \`retry\`; *system* failures are tried again by the system, up to three times in all, and
use up none of the user's attempts.

${markdownTable(
  ['code', 'whose', 'what it means', 'what to do'],
  failures.map(([code, entry]) => [`\`${code}\``, entry.failure!, entry.title, entry.hint]),
)}`
}
