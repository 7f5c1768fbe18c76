import type { LoadedConfig } from '../../kernel/config.ts'
import { type Config, settings } from '../../kernel/settings.ts'
import type { Define } from '../define.ts'
import { addSettingFlags, loadWithFlags, warnOfMisspelt } from '../setting-flags.ts'
import { durationSetting, sizeSetting } from '../terminal/setting-text.ts'
import { formatTable } from '../terminal/table.ts'

/** `millrace config`: every setting with its value and origin; secret values are hidden. */
export const config: Define = (command, context) => {
  addSettingFlags(command.option('--json', 'print JSON')).action((options: { json?: boolean }) => {
    const rows = describe(loadWithFlags(command, context))
    warnOfMisspelt(context)
    context.stdout.write(options.json ? `${JSON.stringify(asObject(rows), null, 2)}\n` : formatTable(COLUMNS, rows))
  })
}

type Row = { readonly name: keyof Config; readonly env: string; readonly value: unknown; readonly origin: string }

const COLUMNS = [
  { title: 'SETTING', value: (row: Row) => row.env },
  { title: 'FROM', value: (row: Row) => row.origin },
  { title: 'VALUE', value: (row: Row) => valueText(row) },
]

const describe = ({ config, origins }: LoadedConfig): readonly Row[] =>
  settings.map(({ name, env, secret }) => ({
    name,
    env,
    value: shown(config[name], secret ?? false),
    origin: origins[name],
  }))

/** JSON has no infinity: null means kept forever. */
const shown = (value: unknown, secret: boolean): unknown => {
  if (value === Number.POSITIVE_INFINITY) return null
  return secret && value !== null ? '***' : value
}

const HOUR_MS = 3_600_000

/** In the notation of a configuration. */
const valueText = ({ name, env, value }: Row): string => {
  if (value === null) return name.startsWith('retention') ? 'forever' : '-'
  if (env.endsWith('_HOURS')) return String(Number(value) / HOUR_MS)
  if (name.endsWith('Ms')) return durationSetting(Number(value))
  if (name.endsWith('Bytes')) return sizeSetting(Number(value))
  if (name === 'blobPlace') return JSON.stringify(value)
  return (Array.isArray(value) ? value.join(',') : String(value)) || '-'
}

const asObject = (rows: readonly Row[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(rows.map(({ env, value, origin }) => [env, { value, origin }]))
