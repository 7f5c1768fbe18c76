/**
 * A small shop to scrape: pages of eight products, and a page for each. It listens on 127.0.0.1 alone.
 *
 *     npx node examples/shop/serve.ts 8321
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Product = { readonly sku: string; readonly name: string; readonly price: string; readonly inStock: boolean }

const ADJECTIVES = ['Round', 'Old & New', 'Tall', 'Quiet', 'Blue']
const THINGS = ['lamp', 'kettle', 'chair', '"Desk"']
const PAGE_SIZE = 8

const PRODUCTS: readonly Product[] = ADJECTIVES.flatMap((adjective, row) =>
  THINGS.map((thing, column) => {
    const number = row * THINGS.length + column
    return {
      sku: `SKU-${String(number + 1).padStart(3, '0')}`,
      name: `${adjective} ${thing}`,
      price: (4.5 + number * 3.25).toFixed(2),
      inStock: number % 3 !== 0,
    }
  }),
)

const toHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const listPage = (page: number): string => {
  const products = PRODUCTS.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
  const items = products.map(
    ({ sku, name }) => `<li><a class="product" href="/products/${sku}">${toHtml(name)}</a></li>`,
  )
  const hasMore = page * PAGE_SIZE < PRODUCTS.length
  const next = hasMore ? `<a rel="next" href="/products?page=${page + 1}">more</a>` : ''
  return `<!doctype html><title>Shop</title><ul>${items.join('\n')}</ul>${next}`
}

const productPage = ({ sku, name, price, inStock }: Product): string =>
  `<!doctype html><title>${toHtml(name)}</title>
<h1 itemprop="name">${toHtml(name)}</h1>
<p>No. <span itemprop="sku">${sku}</span>, <span itemprop="price">${price}</span> EUR,
<span itemprop="availability">${inStock ? 'in stock' : 'sold out'}</span></p>`

const answer = (response: ServerResponse, html: string | null): void => {
  response.writeHead(html === null ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' })
  response.end(html ?? '<!doctype html><title>Not here</title>')
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
  if (pathname === '/products') return answer(response, listPage(Number(searchParams.get('page') ?? 1)))
  const product = PRODUCTS.find(({ sku }) => pathname === `/products/${sku}`)
  answer(response, product === undefined ? null : productPage(product))
})

server.listen(Number(process.argv[2] ?? 8321), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/products`)
})
