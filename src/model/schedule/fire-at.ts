/**
 * A pseudo-random number from 0 (inclusive) to 1 (exclusive) that depends only on workflow and slot: 32 bits of FNV-1a over both, with the finalizer of
 * MurmurHash3, without which neighbouring slots would get neighbouring numbers.
 */
export const jitterShare = (workflowId: string, slot: number): number => {
  let hash = 0x811c_9dc5
  const text = `${workflowId}:${slot}`
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
