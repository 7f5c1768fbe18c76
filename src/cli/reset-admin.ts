import { resetAdminToken } from '../http/auth/tokens.ts'
import { systemClock } from '../kernel/clock.ts'
import { DataDirLocked, openDataDir } from '../kernel/data-dir.ts'
import type { Config } from '../kernel/settings.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'
import { openStore } from './server.ts'

/**
 * Creates a new admin token while the server is stopped: anyone who can write to the data directory may be its admin. The old token becomes invalid. Resolves
 * with the token and the path of its file.
 */
export const resetAdmin = async (config: Config): Promise<{ readonly token: string; readonly path: string }> => {
  const dataDir = lockDataDir(config.dataDir)
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

const lockDataDir = (path: string): ReturnType<typeof openDataDir> => {
  try {
    return openDataDir(path)
  } catch (error) {
    if (!(error instanceof DataDirLocked)) throw error
    throw new CliFailure(`the server runs on ${path}; stop it first`, { exitCode: EXIT.failed })
  }
}
