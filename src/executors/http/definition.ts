import type { FieldError } from '../../kernel/errors.ts'
import type { KindDefinition } from '../kind-definition.ts'
import { type HttpSpec, httpProperties } from './spec.ts'

/** Kind `http` (`docs/api/http.md`): one request. With a schedule it is also known as a heartbeat. */
export const httpDefinition: KindDefinition = {
  kind: 'http',
  properties: httpProperties,
  merges: { environment: false, parameters: false },
  secretMaps: ['http.headers'],
  timeout: { defaultMs: 10_000, maximumMs: 300_000 },
  check: body => checkUrl((body as HttpSpec).http.url),
}

/** The address rules are checked when the request is sent, because a name may resolve differently by then. */
const checkUrl = (text: string): readonly FieldError[] => {
  const url = URL.parse(text)
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return []
  return [{ path: 'http.url', message: 'must be an http or https URL' }]
}
