/** The entry of the program: takes what is the process's own and hands it down. */
import { enableCompileCache } from 'node:module'
import { readVersion } from '../kernel/version.ts'

// Sources are stripped and compiled once and read from the cache afterwards; what is imported below profits from it.
enableCompileCache()

const { runProgram } = await import('./program.ts')

// `millrace logs … | head`: the reader has gone, which is no fault of anyone. As a process ended by SIGPIPE.
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
