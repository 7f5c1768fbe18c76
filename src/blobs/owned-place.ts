import { MillraceError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'

/** The place where blobs are stored, with an id that says whose they are. Its methods throw `storage_unavailable`, ENOSPC. */
export interface OwnedPlace {
  /** The start of messages: `The folder of blobs /mnt/blobs`. */
  readonly name: string
  /** Where the id is stored, in a readable form. */
  readonly idAt: string
  /** What to do if the id is missing. */
  readonly advice: string
  /** Whether the place can never be silently replaced by an empty one, as an unmounted file system is. If so, writers need to check only once. */
  readonly stays: boolean
  /** For how long a check stays valid for other operations, in ms. */
  readonly keptMs: number
  /** null: no id. */
  readId(): Promise<string | null>
  /** Writes the id unless there is one already. Durable once this resolves. */
  writeId(id: string): Promise<void>
}

/** Name of the file or object that holds the id. It is not a valid key, so it is never taken for a blob. */
export const ID_NAME = 'blobs.id'

/** More than an id needs, including whitespace. Of a longer file only the beginning is read, which is not an id. */
export const ID_BYTES = 256

/** The part of `Store` that remembers which blobs belong to it. */
export type Settings = {
  getSetting(input: { name: string }): Promise<string | null>
  replaceSetting(input: { name: string; from: string | null; to: string }): Promise<boolean>
}

/** JSON value in the store. */
type Owner = {
  /** Id of this store's blobs, wherever they are. */
  readonly id: string
  /** The id has been written to the place once: a place without it is a different one. */
  readonly isWritten: boolean
}

const SETTING = 'blobs_id'

/**
 * Throws `storage_unavailable` unless the place bears this store's id. If the id was never written, writes it: so folders and buckets that predate it are
 * adopted, and several servers starting at once write the same id. Returns the id.
 */
export const requireOwn = async (place: OwnedPlace, settings: Settings): Promise<string> => {
  const owner = await readOwner(settings)
  if (!owner.isWritten) await place.writeId(owner.id)
  const fault = await findStranger(place, owner.id)
  if (fault !== null) throw fault
  // Only now: after a crash before this, the id must still be written.
  if (!owner.isWritten) await markWritten(settings, owner)
  return owner.id
}

/** The error to report if the place bears another id, or none although it was written. null: the id matches. */
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

/** A no-op if another server has already done it. */
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
