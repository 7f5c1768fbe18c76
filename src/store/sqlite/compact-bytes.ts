/** Cloning a view to another thread copies its whole underlying buffer, so a small view of a large buffer is copied out first. */
export const compactBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
