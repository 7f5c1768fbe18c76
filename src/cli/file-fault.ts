import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'may not be read',
  EISDIR: 'is a directory',
  ELOOP: 'is a link that leads in a circle',
  ENOTDIR: 'lies below what is no directory',
}

/** The system's error for an unreadable file or directory, for the user who named it. */
export const fileFault = (place: string, { code = '', message }: NodeJS.ErrnoException): CliFailure => {
  const said = WORDS[code] === undefined ? `${place}: ${message}` : `${place} ${WORDS[code]}`
  const text = code === 'ENOENT' ? `there is no ${place}` : said
  return new CliFailure(text, { exitCode: EXIT.usage })
}
