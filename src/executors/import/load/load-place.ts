import type { Statements } from '../../../data/statements.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'

/** Where rows come from and where they go. */
export type LoadPlace = {
  readonly statements: Statements
  /** The staging database. */
  readonly database: string
  readonly table: string
  readonly spool: SpoolPlace
  /** Rows replace each other, or their order matters otherwise: the last in the content must win. */
  readonly keepsOrder: boolean
}
