/** The forms a text takes when a program puts it into a URL, a form or JSON. */
export const escapedForms = (text: string): readonly string[] => [...urlForms(text), ...jsonForms(text)]

/** The characters that each URL encoder turns into `%XX`. */
const ENCODED = [
  // PHP's urlencode. All others encode less.
  /[^A-Za-z0-9\-_.]/gu,
  // RFC 3986, unreserved: encoders of Go, curl and .NET; Python's quote_plus, PHP's rawurlencode
  /[^A-Za-z0-9\-_.~]/gu,
  // Python: urllib.parse.quote
  /[^A-Za-z0-9\-_.~/]/gu,
  // WHATWG application/x-www-form-urlencoded: URLSearchParams, Java's URLEncoder
  /[^A-Za-z0-9\-_.*]/gu,
  // encodeURIComponent, encodeURI
  /[^A-Za-z0-9\-_.~*!'()]/gu,
  /[^A-Za-z0-9\-_.~*!'();/?:@&=+$,#]/gu,
  // Go's net/url: UserPassword and PathEscape
  /[^A-Za-z0-9\-_.~$&+,;=]/gu,
  /[^A-Za-z0-9\-_.~$&+=:@]/gu,
  // WHATWG URL: user and password, path, query
  /[^A-Za-z0-9\-_.~*!'()%$&+,]/gu,
  /[^A-Za-z0-9\-_.~*!'()%$&+,/:;=@[\\\]|]/gu,
  /[^A-Za-z0-9\-_.~*!()%$&+,/:;=@[\\\]|?^`{}]/gu,
]

const urlForms = (text: string): readonly string[] => {
  if (text.search(ENCODED[0]!) === -1) return []
  return ENCODED.flatMap(encoded => {
    const form = text.replace(encoded, percentEncode)
    return [form, form.replaceAll('%20', '+')].flatMap(spaced => [spaced, lowerCaseHex(spaced)])
  })
}

const percentEncode = (character: string): string =>
  Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '%$&')

const lowerCaseHex = (url: string): string => url.replace(/%[0-9A-F]{2}/g, code => code.toLowerCase())

const jsonForms = (text: string): readonly string[] => {
  const json = JSON.stringify(text).slice(1, -1)
  const asciiJson = json.replace(/[\u007f-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return [json, asciiJson].flatMap(form => [form, form.replaceAll('/', '\\/')])
}
