/** A fault in a file of definitions, located as exactly as possible. */
export type FileFault = {
  /** As named by the user, or below a directory named by the user. */
  readonly file: string
  /** From 1; null: the whole file. */
  readonly line: number | null
  /** Dotted, as in the API's errors (`payload.0.command`); '' means the definition itself. */
  readonly field: string
  readonly message: string
}

/** One line in the format of compilers, so that editors can jump to it: `nightly.yaml:12: payload.0.command: must be …`. */
export const faultText = ({ file, line, field, message }: FileFault): string =>
  `${file}${line === null ? '' : `:${line}`}: ${field === '' ? '' : `${field}: `}${message}`
