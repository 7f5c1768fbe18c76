/**
 * A `Content-Disposition` with the last segment of an artifact's name (RFC 6266): an ASCII name for old clients, and the real one encoded as in RFC 8187. The
 * name cannot end the header or leave its quotes.
 */
export const attachment = (name: string): string => {
  const base = name.slice(name.lastIndexOf('/') + 1).toWellFormed() || 'artifact'
  const plain = base.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(base).replaceAll(/['()*]/g, percent)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
