import { createHash, type Hash } from 'node:crypto'
import { readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'

/** A request to hash bytes of a file up to `to`, or to return its hash and drop the state. */
export type HashCall = { readonly call: number; readonly file: number } & (
  | { readonly descriptor: number; readonly from: number; readonly to: number }
  | { readonly end: true }
)

export type HashReply = { readonly call: number } & ({ readonly sha256: string | null } | { readonly fault: string })

/** Fits into the cache of a core, so that the data is hashed before it is written back to memory. */
const block = Buffer.allocUnsafeSlow(256 * 1024)
const hashes = new Map<number, Hash>()

const hashOf = (file: number): Hash => {
  const hash = hashes.get(file) ?? createHash('sha256')
  hashes.set(file, hash)
  return hash
}

const carryOut = (call: HashCall): string | null => {
  const hash = hashOf(call.file)
  if ('end' in call) {
    hashes.delete(call.file)
    return hash.digest('hex')
  }
  for (let at = call.from; at < call.to; ) {
    const bytes = readSync(call.descriptor, block, 0, Math.min(block.length, call.to - at), at)
    if (bytes === 0) throw new Error('The file became shorter while it was hashed.')
    hash.update(block.subarray(0, bytes))
    at += bytes
  }
  return null
}

const answer = (call: HashCall): HashReply => {
  try {
    return { call: call.call, sha256: carryOut(call) }
  } catch (error) {
    return { call: call.call, fault: (error as Error).message }
  }
}

parentPort!.on('message', (call: HashCall) => parentPort!.postMessage(answer(call)))
