import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { resetAdminToken } from '../http/auth/tokens.ts'
import { systemClock } from '../kernel/clock.ts'
import { DataDirLocked, openDataDir } from '../kernel/data-dir.ts'
import type { Config } from '../kernel/settings.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'
import { openStore } from './server.ts'

/**
 * Creates a new admin token while the server is stopped: anyone who can write to the data directory may be its admin. The old token becomes invalid. Resolves
 * with the token and the path of its file. Throws `CliFailure`.
 */
export const resetAdmin = async (config: Config): Promise<{ readonly token: string; readonly path: string }> => {
  const { dataDir, databaseUrl } = config
  if (databaseUrl === null && !existsSync(join(dataDir, 'millrace.db')))
    throw new CliFailure(`there is no server's data in ${dataDir}`, {
      exitCode: EXIT.failed,
      hint: 'Run this in the directory where the server was started, or give --data-dir.',
    })
  try {
    return await reset(config)
  } catch (error) {
    const { message } = error as Error
    const words = error instanceof DataDirLocked ? `the server runs on ${dataDir}; stop it first` : message
    throw new CliFailure(words, { exitCode: EXIT.failed })
  }
}

const reset = async (config: Config) => {
  const dataDir = openDataDir(config.dataDir)
  try {
    const store = await openStore(config, systemClock)
    try {
      const { token, path } = await resetAdminToken({ store, config })
      return { token: token!, path }
    } finally {
      await store.close()
    }
  } finally {
    dataDir.unlock()
  }
}
