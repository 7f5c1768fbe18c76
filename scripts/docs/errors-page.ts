import { ERRORS } from '../../src/kernel/errors.ts'
import { markdownTable } from './markdown-table.ts'

type Entry = { readonly http?: number; readonly failure?: string; readonly title: string; readonly hint: string }

const INTRODUCTION = `# Errors

Generated from \`src/kernel/errors.ts\` by \`npm run docs\`; do not edit.

A refused request gets \`application/problem+json\` (RFC 9457) with \`type\`, \`title\`, \`status\`, \`code\`, \`detail\`, \`hint\` and
\`errors\`, a list of \`{path, message}\` for wrong fields. A failed job has the code in \`status_reason\` and in \`error.code\`.
`

/** The whole of `docs/errors.md`. */
export const errorsPage = (): string => {
  const entries = Object.entries<Entry>(ERRORS)
  const refusals = entries.filter(([, entry]) => entry.http !== undefined)
  const failures = entries.filter(([, entry]) => entry.failure !== undefined)
  return `${INTRODUCTION}
## Refused requests

${markdownTable(
  ['code', 'status', 'what it means', 'what to do'],
  refusals.map(([code, entry]) => [`\`${code}\``, String(entry.http), entry.title, entry.hint]),
)}
## Failed jobs

*user* failures follow the job's \`retry\`. *system* failures are retried by the system, up to three attempts in total, and
do not use up the user's attempts.

${markdownTable(
  ['code', 'class', 'what it means', 'what to do'],
  failures.map(([code, entry]) => [`\`${code}\``, entry.failure!, entry.title, entry.hint]),
)}`
}
