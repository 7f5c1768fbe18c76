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
