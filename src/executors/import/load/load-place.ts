import type { Statements } from '../../../data/statements.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'

/** Where rows come from and where they go. */
export type LoadPlace = {
  readonly statements: Statements
  /** Of staging. */
  readonly database: string
  readonly table: string
  readonly spool: SpoolPlace
  /** Where rows replace each other, the last of the content has to win. */
  readonly keepsOrder: boolean
}
