/** What made a job or a run: a caller, or a schedule. */
export const TRIGGERS = ['manual', 'automatic'] as const
export type Trigger = (typeof TRIGGERS)[number]
