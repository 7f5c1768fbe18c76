import { type SecretBox, WrongSecretKey } from './secrets.ts'
import type { Store } from './store.ts'

/** The setting with a record that the first server sealed: what opens it is the key of all stored secrets. */
const PROOF = 'secret_key_proof'

type Parts = {
  readonly store: Pick<Store, 'getSetting' | 'replaceSetting'>
  readonly secrets: Pick<SecretBox, 'seal' | 'open'>
}

/** A check that throws, with what to do, while this server's key is not the one under which the store's secrets were sealed. */
export const createSameKeyCheck = (parts: Parts): (() => Promise<void>) => {
  // Our key stays the same, so one success is enough.
  let isSame = false
  return async () => {
    if (isSame) return
    await requireSameKey(parts)
    isSame = true
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
    throw new Error(
      'The secrets in the database were stored under another key, so this server runs no jobs and fires no schedules. Set ' +
        'MILLRACE_SECRET_KEY to that key, or restore the file secret-key of the data directory, and start again. If the ' +
        `key is lost for good, delete the setting ${PROOF} from the database.`,
      { cause: error },
    )
  }
}
