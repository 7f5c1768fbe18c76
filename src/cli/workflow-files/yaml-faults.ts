import { type Document, isAlias, isCollection, isNode, isPair, isScalar, isSeq, type Node, visit } from 'yaml'
import { inexactNumber } from '../../model/inexact-numbers.ts'

/** A value in a document that JSON cannot express. */
export type YamlFault = {
  /** Its offset in the text. */
  readonly offset: number
  /** Dotted path. */
  readonly field: string
  readonly message: string
}

/**
 * Things in a valid document that JSON cannot express, and that would be sent as something else: numbers that no double can hold, and keys that are lists or
 * maps.
 */
export const yamlFaults = (document: Document.Parsed): readonly YamlFault[] => {
  const faults: YamlFault[] = []
  const tell = (node: Node, path: readonly unknown[], message: string): void => {
    faults.push({ offset: node.range?.[0] ?? 0, field: fieldOf([...path, node]), message })
  }
  visit(document, {
    Scalar: (_, node, path) => {
      const message = typeof node.value === 'number' ? inexactNumber(node.source ?? '', node.value) : null
      if (message !== null) tell(node, path, message)
    },
    Pair: (_, pair, path) => {
      const key = isAlias(pair.key) ? pair.key.resolve(document) : pair.key
      if (isCollection(key)) tell(isNode(pair.key) ? pair.key : key, path, 'has a name that is a list or a map')
    },
  })
  return faults
}

/** The dotted path of a node in the document. */
const fieldOf = (path: readonly unknown[]): string =>
  path
    .flatMap((node, index) => {
      if (isPair(node)) return isScalar(node.key) ? [String(node.key.value)] : []
      const inner = path[index + 1]
      return isSeq(node) && inner !== undefined ? [String(node.items.indexOf(inner))] : []
    })
    .join('.')
