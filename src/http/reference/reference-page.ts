import { hash } from 'node:crypto'
import Fastify from 'fastify'

/** The page, its script, and the content security policy that allows only those to run. */
export type ReferencePage = { readonly html: string; readonly script: string; readonly policy: string }

/** The page comes from the plugin. It sends nothing to third parties, and loads nothing from them. */
const CONFIGURATION = {
  // Relative to the page, so that a proxy may prefix both paths.
  url: '../openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never' as const,
}

/**
 * Creates the reference page on first request: its script is four megabytes, which an idle server need not hold. The plugin gets an app of its own, because the
 * real one accepts no plugins once it listens.
 */
export const createReferencePage = (about: About): (() => Promise<ReferencePage>) => {
  let page: Promise<ReferencePage> | undefined
  return () => {
    page ??= makePage(about)
    return page
  }
}

type About = { readonly title: string; readonly publicUrl: string }

const makePage = async ({ title, publicUrl }: About): Promise<ReferencePage> => {
  const { default: reference } = await import('@scalar/fastify-api-reference')
  const app = Fastify({ logger: false })
  // Requests go to the page's origin, whatever name it was opened by: the policy forbids all others.
  const servers = [{ url: new URL(publicUrl).pathname }]
  const configuration = { ...CONFIGURATION, pageTitle: title, servers }
  await app.register(reference, { routePrefix: '/docs', configuration })
  const [page, script] = await Promise.all([app.inject('/docs/'), app.inject('/docs/js/scalar.js')])
  await app.close()
  const html = page.body
    // For screen readers.
    .replace('<html>', '<html lang="en">')
    // Otherwise browsers request /favicon.ico and report an error.
    .replace('</head>', '<link rel="icon" href="data:," />\n  </head>')
  return { html, script: script.body, policy: policyFor(html) }
}

/** Allows scripts from this server, and the one inline script by its hash. The script sets inline styles. */
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
