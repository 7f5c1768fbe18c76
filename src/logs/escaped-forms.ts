/** What programs make of a text when they put it into a URL, a form or JSON. */
export const escapedForms = (text: string): readonly string[] => [...urlForms(text), ...jsonForms(text)]

/** What each encoder of URLs turns into `%XX`. */
const ENCODED = [
  // PHP: urlencode. All others encode less.
  /[^A-Za-z0-9\-_.]/gu,
  // RFC 3986, unreserved: encoders of Go, curl, .NET; quote_plus of Python, rawurlencode of PHP
  /[^A-Za-z0-9\-_.~]/gu,
  // Python: urllib.parse.quote
  /[^A-Za-z0-9\-_.~/]/gu,
  // application/x-www-form-urlencoded of the WHATWG: URLSearchParams, and URLEncoder of Java
  /[^A-Za-z0-9\-_.*]/gu,
  // encodeURIComponent, encodeURI
  /[^A-Za-z0-9\-_.~*!'()]/gu,
  /[^A-Za-z0-9\-_.~*!'();/?:@&=+$,#]/gu,
  // Go: UserPassword and PathEscape of net/url
  /[^A-Za-z0-9\-_.~$&+,;=]/gu,
  /[^A-Za-z0-9\-_.~$&+=:@]/gu,
  // The WHATWG's URL: user and password, path, query
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
