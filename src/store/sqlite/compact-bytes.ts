/** Cloning a view to another thread copies the whole buffer below it: a small piece of a large buffer is cut out first. */
export const compactBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
