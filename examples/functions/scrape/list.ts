import type { Context } from '../lib/context.ts'
import { fetchPage, findAll } from '../lib/page.ts'

/** One page of the list: every product on it, and the next page, become items of the same run. */
export default async ({ url }: { url: string }, ctx: Context) => {
  const html = await fetchPage(url, ctx.signal)
  const products = findAll(html, /<a class="product" href="([^"]+)"/g).map(path => new URL(path, url).href)
  const [next] = findAll(html, /<a rel="next" href="([^"]+)"/g).map(path => new URL(path, url).href)
  ctx.log(`${products.length} products on ${url}`)
  await ctx.extendPayload([
    ...products.map(product => ({ api: 'scrape/product', parameters: { url: product } })),
    ...(next === undefined ? [] : [{ api: 'scrape/list', parameters: { url: next } }]),
  ])
  return { url, products: products.length, next: next ?? null }
}
