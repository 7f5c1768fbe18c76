import type { Context } from '../lib/context.ts'
import { fetchPage, readProperty } from '../lib/page.ts'

/** One product. The page is kept as an artifact, so that a wrong price can be looked up later. */
export default async ({ url }: { url: string }, ctx: Context) => {
  const html = await fetchPage(url, ctx.signal)
  await ctx.artifact('page.html', html)
  const price = Number(readProperty(html, 'price'))
  if (!Number.isFinite(price)) throw new Error(`${url} has no readable price`)
  return {
    url,
    sku: readProperty(html, 'sku'),
    name: readProperty(html, 'name'),
    price,
    in_stock: readProperty(html, 'availability') === 'in stock',
  }
}
