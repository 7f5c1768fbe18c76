import { hash } from 'node:crypto'
import Fastify from 'fastify'

/** The page, its script, and the content security policy that lets just them run. */
export type ReferencePage = { readonly html: string; readonly script: string; readonly policy: string }

/** The page is the plugin's; it says nothing to others and loads nothing from elsewhere. */
const CONFIGURATION = {
  // From the page itself, so that a proxy may put a path before both.
  url: '../openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never' as const,
}

/**
 * The reference page, made when it is first asked for: its script is four megabytes, which an idle server does not hold.
 * The plugin is given an app of its own, since the real one takes no more plugins once it listens.
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
  // Requests go to where the page came from, by whichever of its names: its policy forbids all others.
  const servers = [{ url: new URL(publicUrl).pathname }]
  const configuration = { ...CONFIGURATION, pageTitle: title, servers }
  await app.register(reference, { routePrefix: '/docs', configuration })
  const [page, script] = await Promise.all([app.inject('/docs/'), app.inject('/docs/js/scalar.js')])
  await app.close()
  const html = page.body
    // For who has it read aloud.
    .replace('<html>', '<html lang="en">')
    // Else browsers ask for /favicon.ico, and tell of an error.
    .replace('</head>', '<link rel="icon" href="data:," />\n  </head>')
  return { html, script: script.body, policy: policyFor(html) }
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
