import type { Catalogue } from '../../model/catalogue.ts'
import { readsOf } from '../../model/catalogue-graph.ts'
import type { Pipe } from '../../model/pipe.ts'
import { isSqlError } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { compileNode, type NodePlace } from './compile-select.ts'
import { unattendedFault } from './unattended-fault.ts'

/** Why a node of another pipe that reads this one could no longer run; null: all can, as far as their tables and parameters are concerned. */
export const readersFault = async (
  data: Data,
  workspace: string,
  catalogue: Catalogue,
  pipe: Pipe,
): Promise<string | null> => {
  const last = pipe.nodes.at(-1)!
  for (const other of catalogue.pipes)
    for (const node of other.nodes) {
      if (other === pipe || !readsOf(catalogue, other, node).nodes.has(last)) continue
      const fault = await nodeFault(data, { workspace, catalogue, pipe: other, node })
      if (fault !== null) return `the node ${node.name} of the pipe ${other.name}, which reads this one: ${fault}`
    }
  return null
}

const nodeFault = async (data: Data, place: NodePlace): Promise<string | null> => {
  try {
    await compileNode(data, place)
    return await unattendedFault(data, place)
  } catch (error) {
    if (!isSqlError(error)) throw error
    return error.message
  }
}
