/** `1 row`, `12,345 rows`. */
export const countText = (count: number, thing: string): string =>
  `${count.toLocaleString('en')} ${thing}${count === 1 ? '' : 's'}`
