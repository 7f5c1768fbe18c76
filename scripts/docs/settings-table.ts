import { settings } from '../../src/kernel/settings.ts'
import { markdownTable } from './markdown-table.ts'

/** The table of settings in `docs/operations.md`. */
export const settingsTable = (): string =>
  markdownTable(
    ['variable', 'flag of `serve`', 'default', 'meaning'],
    settings.map(setting => [
      `\`${setting.env}\``,
      `\`--${setting.flag}\``,
      setting.default === '' ? '' : `\`${setting.default}\``,
      setting.about,
    ]),
  )
