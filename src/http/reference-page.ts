import { hash } from 'node:crypto'
import Fastify from 'fastify'

/** The page, its script, and the content security policy that lets just them run. */
export type ReferencePage = { readonly html: string; readonly script: string; readonly policy: string }

/** The page is the plugin's; it says nothing to others and loads nothing from elsewhere. */
const CONFIGURATION = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showToolbar: 'never' as const,
  showDeveloperTools: 'never' as const,
}

/**
 * The reference page, made when it is first asked for: its script is four megabytes, which an idle server does not hold.
 * The plugin is given an app of its own, since the real one takes no more plugins once it listens.
 */
export const createReferencePage = ({ title }: { title: string }): (() => Promise<ReferencePage>) => {
  let page: Promise<ReferencePage> | undefined
  return () => {
    page ??= makePage(title)
    return page
  }
}

const makePage = async (title: string): Promise<ReferencePage> => {
  const { default: reference } = await import('@scalar/fastify-api-reference')
  const app = Fastify({ logger: false })
  await app.register(reference, { routePrefix: '/docs', configuration: { ...CONFIGURATION, pageTitle: title } })
  const [page, script] = await Promise.all([app.inject('/docs/'), app.inject('/docs/js/scalar.js')])
  await app.close()
  return { html: page.body, script: script.body, policy: policyFor(page.body) }
}

/** Scripts of this server and the one inline script, by its hash. Styles are set by the script, inline. */
const policyFor = (html: string): string => {
  const inline = [...html.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)].map(
    ([, text]) => `'sha256-${hash('sha256', text ?? '', 'base64')}'`,
  )
  return [
    "default-src 'none'",
    `script-src 'self' ${inline.join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}
