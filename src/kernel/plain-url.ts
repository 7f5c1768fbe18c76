/** Of http or https, and without credentials: it is shown, and what holds them no client can fetch. */
export const isPlainUrl = (value: string): boolean => {
  const url = /^https?:\/\//.test(value) ? URL.parse(value) : null
  return url !== null && url.username === '' && url.password === ''
}
