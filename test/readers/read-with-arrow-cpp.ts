/**
 * Prints what Arrow's C++ library, which pyarrow and so pandas read with, makes of a file, as JSON of texts: `{"column": {"type": …, "values": […]}}`.
 * Perspective has it in WebAssembly, and shows the types that it knows itself.
 *
 *     node read-with-arrow-cpp.ts <format> <path>
 */
import { readFileSync } from 'node:fs'
import perspective from '@finos/perspective'

const table = await perspective.table(new Uint8Array(readFileSync(process.argv[3]!)).buffer)
const types = await table.schema()
const view = await table.view()
const columns = await view.to_columns()
const toText = (value: unknown): string | null => (value === null ? null : String(value))
const report = Object.entries(columns).map(([name, values]) => [
  name,
  { type: types[name], values: (values as readonly unknown[]).map(toText) },
])
console.log(JSON.stringify(Object.fromEntries(report)))
process.exit(0)
