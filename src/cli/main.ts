/** The entry point: collects the process's resources and passes them down. */
import { enableCompileCache } from 'node:module'
import { readVersion } from '../kernel/version.ts'

// Compiled sources are cached for the next start, including those imported below.
enableCompileCache()

const { EXIT } = await import('./exit-code.ts')
const { runProgram } = await import('./program.ts')

// `millrace logs … | head`: the reader is gone, which is not an error. Exit as if ended by SIGPIPE.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit(128 + 13)
  process.stderr.write(`millrace: standard output cannot be written: ${message}\n`)
  process.exit(EXIT.usage)
})
// A terminal that has closed, or a reader of the log that has ended: what a server has to finish does not depend on it.
process.stderr.on('error', () => {})

process.exitCode = await runProgram({
  argv: process.argv.slice(2),
  version: readVersion(),
  context: {
    environment: process.env,
    directory: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
  },
})
