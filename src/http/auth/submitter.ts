import type { FastifyRequest } from 'fastify'
import type { Submitter } from '../../engine/engine.ts'

/** The submitter of jobs or workflows in this request. */
export const submitterOf = ({ caller }: FastifyRequest): Submitter => ({
  workspace: caller.workspace,
  scopes: caller.scopes,
  parentJobId: caller.job?.jobId ?? null,
})
