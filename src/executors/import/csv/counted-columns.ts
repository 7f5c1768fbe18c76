/** `1 column`, `3 columns`. */
export const countedColumns = (count: number): string => `${count} column${count === 1 ? '' : 's'}`
