/** Whether it is an http or https URL without credentials. The URL is displayed, and `fetch` rejects URLs with credentials. */
export const isPlainUrl = (value: string): boolean => {
  const url = /^https?:\/\//.test(value) ? URL.parse(value) : null
  return url !== null && url.username === '' && url.password === ''
}
