import { styleText } from 'node:util'
import type { JobStatus } from '../../model/job-status.ts'

type Style = Parameters<typeof styleText>[0]

/** Colours only on a terminal, and never against NO_COLOR. */
export const paint = (stream: NodeJS.WriteStream, style: Style, text: string): string =>
  styleText(style, text, { stream, validateStream: true })

/** The colour of each status, the same wherever a status is shown. */
export const STATUS_STYLE = {
  pending: 'gray',
  queued: 'blue',
  running: 'cyan',
  cancelling: 'yellow',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
} as const satisfies Record<JobStatus, Style>
