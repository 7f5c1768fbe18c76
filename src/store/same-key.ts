import { MillraceError } from '../kernel/errors.ts'
import { type SecretBox, WrongSecretKey } from './secrets.ts'
import type { Store } from './store.ts'

/** The setting with a record that the first server sealed: what opens it is the key of all stored secrets. */
const PROOF = 'secret_key_proof'

type Parts = {
  readonly store: Pick<Store, 'getSetting' | 'replaceSetting'>
  readonly secrets: SecretBox
}

/** A box that refuses with 503 `unavailable` until `checkKey` has found its key to be the right one. */
export type GuardedBox = {
  readonly secrets: SecretBox
  /** Throws, with what to do, while this server's key is not the one under which the store's secrets were sealed. */
  readonly checkKey: () => Promise<void>
}

/** What would be sealed under a wrong key could not be read under the right one. */
export const guardSecrets = (parts: Parts): GuardedBox => {
  const { seal, open, deriveKey } = parts.secrets
  let fault: Error | null = new MillraceError('unavailable', 'The server is starting.', { retryAfter: 1 })
  const unlessWrong =
    <In, Out>(work: (input: In) => Out) =>
    (input: In): Out => {
      if (fault !== null) throw fault
      return work(input)
    }
  return {
    secrets: { seal: unlessWrong(seal), open: unlessWrong(open), deriveKey },
    checkKey: async () => {
      // Our key stays the same, so one success is enough.
      if (fault === null) return
      try {
        await requireSameKey(parts)
        fault = null
      } catch (error) {
        if (isWrongKey(error)) fault = error as Error
        throw error
      }
    },
  }
}

/** What the check throws if the key is wrong, and not just the store away. */
export const isWrongKey = (error: unknown): boolean => (error as Error).cause instanceof WrongSecretKey

const requireSameKey = async ({ store, secrets }: Parts): Promise<void> => {
  const proof = await store.getSetting({ name: PROOF })
  if (proof !== null) return requireOpen(secrets, proof)
  const ours = Buffer.from(secrets.seal({})).toString('base64')
  // Another server may have started at the same time.
  if (!(await store.replaceSetting({ name: PROOF, from: null, to: ours }))) await requireSameKey({ store, secrets })
}

const requireOpen = (secrets: Parts['secrets'], proof: string): void => {
  try {
    secrets.open(Buffer.from(proof, 'base64'))
  } catch (error) {
    if (!(error instanceof WrongSecretKey)) throw error
    throw new MillraceError(
      'unavailable',
      'The secrets in the database were stored under another key, so this server runs no jobs, fires no schedules and ' +
        'accepts no secrets. Set MILLRACE_SECRET_KEY to that key, or restore the file secret-key of the data directory, and ' +
        `start again. If the key is lost for good, delete the setting ${PROOF} from the database.`,
      { cause: error },
    )
  }
}
