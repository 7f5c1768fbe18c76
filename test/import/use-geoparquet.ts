import type { ParquetScene } from './parquet-scene.ts'
import { useParquet } from './parquet-scene.ts'
import { wkb } from './wkb.ts'

export const [little, big] = [wkb('little'), wkb('big')]
export const RING = [
  [0, 0],
  [0, 1],
  [1, 1],
  [0, 0],
]

/** A geometry of DuckDB as text, or NULL. */
const geometry = (wkt: string | null): string => `${wkt === null ? 'NULL' : `'${wkt}'`}::GEOMETRY`

const hexOf = (value: Uint8Array | null): string =>
  value === null ? 'NULL' : `unhex('${Buffer.from(value).toString('hex')}')`

/** For a COPY of DuckDB: the GeoParquet metadata of a column of bytes, `g`. */
export const geoMetadata = (types: readonly string[]): string => {
  const columns = { g: { encoding: 'WKB', geometry_types: types } }
  return `, KV_METADATA {geo: '${JSON.stringify({ version: '1.1.0', primary_column: 'g', columns })}'}`
}

export type GeoParquet = {
  readonly parquet: ParquetScene
  /** GeoParquet as DuckDB writes it, with its native geometry type. */
  readonly written: (geometries: readonly (string | null)[], options?: string) => Promise<Buffer>
  /** GeoParquet with these bytes, valid or not, and these types in its metadata. */
  readonly ofBytes: (values: readonly (Uint8Array | null)[], types?: readonly string[]) => Promise<Buffer>
  /** The quarantined rows of the test's data source, in the order of the file. */
  readonly quarantined: () => Promise<readonly Record<string, unknown>[]>
}

/** For the tests of a file about GeoParquet: geometries are in a column `g`, and the row number in `id`. */
export const useGeoparquet = (open?: Parameters<typeof useParquet>[0]): GeoParquet => {
  const parquet = useParquet(open)
  return {
    parquet,
    written: (geometries, options) =>
      parquet.fromDuckdb(
        geometries.map((wkt, id) => `SELECT ${id} AS id, ${geometry(wkt)} AS g`).join(' UNION ALL '),
        options,
      ),
    ofBytes: (values, types = []) => {
      const rows = values.map((value, id) => `(${id}, ${hexOf(value)}::BLOB)`)
      return parquet.fromDuckdb(`SELECT * FROM (VALUES ${rows.join(', ')}) AS rows(id, g)`, geoMetadata(types))
    },
    quarantined: () =>
      parquet.rows(
        `SELECT id, g, c__error_column[1] AS wrong, c__error[1] AS why, length(c__error) AS complaints FROM ${parquet.name}_quarantine ORDER BY id::UInt32`,
      ),
  }
}
