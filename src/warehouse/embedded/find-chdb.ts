import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Whether an optional package is installed. Checked every time, because it may be installed while the server runs. */
export const isInstalled = (packageName: string): boolean => {
  try {
    require.resolve(packageName)
    return true
  } catch {
    return false
  }
}

export const MISSING_CHDB =
  'Data jobs need the package chdb, which is not installed (it has builds for Linux with glibc and macOS, on x64 and arm64). Install it beside Millrace with `npm install chdb`, or set MILLRACE_CLICKHOUSE_URL to a ClickHouse server.'
