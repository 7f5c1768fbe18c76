/** What is wrong with a file of workflows, where as exactly as is known. */
export type FileFault = {
  /** As the user named it, or below the directory that was named. */
  readonly file: string
  /** From 1; null: of the whole file. */
  readonly line: number | null
  /** Dotted, as in the API's errors (`payload.0.command`); '' for the workflow itself. */
  readonly field: string
  readonly message: string
}

/** One line as compilers write it, so that editors jump to it: `nightly.yaml:12: payload.0.command: must be …`. */
export const faultText = ({ file, line, field, message }: FileFault): string =>
  `${file}${line === null ? '' : `:${line}`}: ${field === '' ? '' : `${field}: `}${message}`
