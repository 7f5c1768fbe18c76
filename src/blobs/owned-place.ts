import { MillraceError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'

/** Where blobs lie, with the id there that says whose they are. Its methods throw `storage_unavailable`, ENOSPC. */
export interface OwnedPlace {
  /** What messages begin with: `The folder of blobs /mnt/blobs`. */
  readonly name: string
  /** Where the id is, as a person would write it. */
  readonly idAt: string
  /** What to do where the id is missing. */
  readonly advice: string
  /** It cannot go away and leave an empty one behind, as a file system that is not mounted does: one look is enough for who writes. */
  readonly stays: boolean
  /** How long a look counts for those who only want to know, ms. */
  readonly keptMs: number
  /** null: there is none. */
  readId(): Promise<string | null>
  /** Unless there is one already. It is on the disk when this resolves. */
  writeId(id: string): Promise<void>
}

/** The name of the file or object with the id: it is no key, so it is never taken for a blob. */
export const ID_NAME = 'blobs.id'

/** More than an id has with what stands around it: of what is longer the beginning is read, which is no id. */
export const ID_BYTES = 256

/** The part of the store that remembers which blobs are its own (`Store`). */
export type Settings = {
  getSetting(input: { name: string }): Promise<string | null>
  replaceSetting(input: { name: string; from: string | null; to: string }): Promise<boolean>
}

/** As the store has it, in JSON. */
type Owner = {
  /** Of the blobs of this store, wherever they lie. */
  readonly id: string
  /** It has been written there once: a place without it is another one. */
  readonly isWritten: boolean
}

const SETTING = 'blobs_id'

/**
 * Throws `storage_unavailable` unless the place bears the id of this store. One that was never written is written, so that folders and
 * buckets of before are taken as they are; several servers that are first at once write the same. Gives the id.
 */
export const requireOwn = async (place: OwnedPlace, settings: Settings): Promise<string> => {
  const owner = await readOwner(settings)
  if (!owner.isWritten) await place.writeId(owner.id)
  const fault = await findStranger(place, owner.id)
  if (fault !== null) throw fault
  // Only now: a crash before it must not leave a place that is never written.
  if (!owner.isWritten) await markWritten(settings, owner)
  return owner.id
}

/** What is to be told where another id is, or none, than this one, which had been written; null: it is this one. */
export const findStranger = async (place: OwnedPlace, id: string): Promise<MillraceError | null> => {
  const found = await place.readId()
  if (found === id) return null
  return found === null ? missing(place, id) : foreign(place, id)
}

const readOwner = async (settings: Settings): Promise<Owner> => {
  for (;;) {
    const text = await settings.getSetting({ name: SETTING })
    if (text !== null) return JSON.parse(text) as Owner
    await settings.replaceSetting({ name: SETTING, from: null, to: toText({ id: newId(), isWritten: false }) })
  }
}

/** Not applied where another server has done it. */
const markWritten = async (settings: Settings, owner: Owner): Promise<void> => {
  await settings.replaceSetting({ name: SETTING, from: toText(owner), to: toText({ ...owner, isWritten: true }) })
}

const toText = ({ id, isWritten }: Owner): string => JSON.stringify({ id, isWritten })

const RETRY_AFTER_S = 5

const unavailable = (message: string): MillraceError =>
  new MillraceError('storage_unavailable', message, { retryAfter: RETRY_AFTER_S })

const missing = ({ name, idAt, advice }: OwnedPlace, id: string): MillraceError =>
  unavailable(
    `${name} is not the one that this database has used: ${idAt} is not there. ${advice} If the content was moved here without it, or is lost for good, put this line there and start again: ${id}`,
  )

const foreign = ({ name, idAt }: OwnedPlace, id: string): MillraceError =>
  unavailable(
    `${name} belongs to another database, by what is in ${idAt}, and each would delete what the other keeps. Give this server a place of its own (MILLRACE_BLOB_URL). If nothing else uses it any more, put this line there instead and start again: ${id}`,
  )
