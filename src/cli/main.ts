/** The entry point: collects the process's resources and passes them down. */
import { enableCompileCache } from 'node:module'
import { readVersion } from '../kernel/version.ts'

// Compiled sources are cached for the next start, including those imported below.
enableCompileCache()

const { runProgram } = await import('./program.ts')

// `millrace logs … | head`: the reader is gone, which is not an error. Exit as if ended by SIGPIPE.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  process.exit(128 + 13)
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
