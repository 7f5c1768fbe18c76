import { newId } from '../kernel/ids.ts'

/** An id for a data source or a pipe: `t_` and the hex digits of a UUIDv7. */
export const newDataId = (): string => `t_${newId().replaceAll('-', '')}`

export const isDataId = (text: string): boolean => /^t_[0-9a-f]{32}$/.test(text)
