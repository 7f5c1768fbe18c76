/**
 * `Content-Disposition` that saves under the last part of an artifact's name (RFC 6266): an ASCII name for old readers,
 * the real one in the encoding of RFC 8187. Nothing of the name can end the header or leave its quotes.
 */
export const attachment = (name: string): string => {
  const base = name.slice(name.lastIndexOf('/') + 1).toWellFormed() || 'artifact'
  const plain = base.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(base).replaceAll(/['()*]/g, percent)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
