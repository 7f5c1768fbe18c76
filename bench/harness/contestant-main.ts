import type { OpenContestant, Operations } from './contestant.ts'

/** The process of a contestant: loads its module and answers calls until the bench disconnects. */
const { open } = (await import(process.argv[2]!)) as { open: OpenContestant<unknown> }
let operations: Operations | null = null

type Call = { readonly id: number; readonly operation: string; readonly input: unknown }

const answer = async (call: Call): Promise<unknown> => {
  if (call.operation === 'open') {
    operations = await open(call.input)
    return undefined
  }
  const operation = operations?.[call.operation]
  if (operation === undefined) throw new Error(`no operation ${call.operation}`)
  return await operation(call.input)
}

process.on('message', (call: Call) => {
  answer(call).then(
    value => process.send!({ id: call.id, value }),
    error =>
      process.send!({ id: call.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
// A clean exit lets --cpu-prof write its profile.
process.once('disconnect', () => process.exit(0))
