import type { Context } from './lib/context.ts'

/** The smallest useful function: a parameter, a line of log, a result. */
export default async ({ name = 'world' }: { name?: string }, ctx: Context) => {
  console.log(`greeting ${name}, attempt ${ctx.attempt}`)
  return { greeting: `Hello, ${name}!` }
}
