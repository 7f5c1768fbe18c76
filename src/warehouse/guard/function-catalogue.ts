import { closeNames } from '../../kernel/close-names.ts'

/** A row of `system.functions`. */
export type EngineFunction = {
  readonly name: string
  readonly alias_to: string
  readonly is_aggregate: number
  readonly case_insensitive: number
  readonly origin: string
  readonly categories: string
}

/** The catalogue query, which the guard runs once. */
export const CATALOGUE_SQL =
  'SELECT name, alias_to, toUInt8(is_aggregate) AS is_aggregate, toUInt8(case_insensitive) AS case_insensitive, toString(origin) AS origin, categories FROM system.functions'

/** What a user's query may call. */
export type FunctionRules = {
  readonly mayCall: (name: string) => boolean
  /** The engine has such a function, but it may neither be called nor passed as a value. */
  readonly isRefused: (name: string) => boolean
  /** Allowed functions with a similar name, the closest first. */
  readonly like: (name: string) => readonly string[]
  /** Also with combinators (`sumIf`, `countState`). */
  readonly isAggregate: (name: string) => boolean
}

/**
 * Categories whose functions compute from their arguments alone. Excluded are Dictionary and Embedded Dictionary (they read what others configured),
 * Introspection, AI (it calls services), Other (listed by name below), and any that a later version adds.
 */
const PURE_CATEGORIES: ReadonlySet<string> = new Set([
  'Aggregate Functions',
  'Arithmetic',
  'Arrays',
  'Bit',
  'Bitmap',
  'Comparison',
  'Conditional',
  'Dates and Times',
  'Distance',
  'Encoding',
  'Encryption',
  'Financial',
  'Geo',
  'Geo Polygon',
  'Hash',
  'IP Address',
  'JSON',
  'Logical',
  'Map',
  'Mathematical',
  'Null',
  'NumericIndexedVector',
  'QBit',
  'Random Number',
  'Rounding',
  'String',
  'String Replacement',
  'String Search',
  'String Splitting',
  'Time Series',
  'Time Window',
  'Tuple',
  'Type Conversion',
  'ULID',
  'URL',
  'UUID',
])

/** Functions of the category Other that compute, or that reveal only the query itself. */
const PURE_OTHERS =
  `bar blockNumber blockSize byteSize colorOKLABToSRGB colorOKLCHToSRGB colorSRGBToOKLAB colorSRGBToOKLCH countDigits
  currentDatabase defaultValueOfArgumentType defaultValueOfTypeName digits displayName dumpColumnStructure finalizeAggregation
  flipCoordinates formatQuery formatQueryOrNull formatQuerySingleLine formatQuerySingleLineOrNull formatReadableDecimalSize
  formatReadableQuantity formatReadableSize formatReadableTimeDelta getSizeOfEnumType getSubcolumn icebergBucket
  icebergTruncate identity ignore indexHint initializeAggregation isConstant isDecimalOverflow lowCardinalityIndices
  lowCardinalityKeys MACNumToString MACStringToNum MACStringToOUI materialize minSampleSizeContinuous minSampleSizeConversion
  neighbor normalizedQueryHash normalizedQueryHashKeepNames normalizeQuery normalizeQueryKeepNames parseReadableSize
  parseReadableSizeOrNull parseReadableSizeOrZero parseTimeDelta rowNumberInAllBlocks rowNumberInBlock runningAccumulate
  runningDifference runningDifferenceStartingWithFirstValue sleep sleepEachRow throwIf toColumnTypeName toTypeName transform
  variantElement variantType version visibleWidth`.split(/\s+/)

/** Created from syntax by the parser; not in the catalogue. */
const SYNTAX_FUNCTIONS = ['lambda', 'exists', 'untuple', 'grouping', '_CAST', 'caseWithExpression']

/**
 * Excluded although in pure categories. `flameGraph` takes addresses of the process. The others write rows in any format, so they can use templates and schemas
 * in the server's files, and write raw memory of aggregate states.
 */
const IMPURE = new Set(['flameGraph', 'formatRow', 'formatRowNoNewline', 'groupFormat'])

/** Suffixes of aggregate functions; several may be combined. */
const COMBINATORS =
  /(?:If|Array|Map|SimpleState|MergeState|State|Merge|ForEach|Distinct|OrDefault|OrNull|Resample|ArgMin|ArgMax|Null)$/

/**
 * The functions a query may call, out of those the engine has. This is an allow-list, by category: a deny-list would admit every function that a new version
 * adds, and this version alone had ten that read from outside. Aliases and case come from the catalogue, so no spelling gets around it. An entry without a
 * category is an alias with an unknown target, and is refused.
 */
export const allowFunctions = (catalogue: readonly EngineFunction[]): FunctionRules => {
  const byName = new Map(catalogue.map(entry => [entry.name, entry]))
  const allowed = catalogue.filter(entry => isPure(byName.get(entry.alias_to) ?? entry))
  const names = new Set([...SYNTAX_FUNCTIONS, ...allowed.map(({ name }) => name)])
  const lowerCase = new Set(allowed.filter(entry => entry.case_insensitive).map(({ name }) => name.toLowerCase()))
  const aggregates = new Set(allowed.filter(entry => entry.is_aggregate).map(({ name }) => name.toLowerCase()))
  const all = new Set(catalogue.map(({ name }) => name.toLowerCase()))
  const mayCall = (name: string): boolean =>
    names.has(name) || lowerCase.has(name.toLowerCase()) || isCombined(name, aggregates)
  return {
    mayCall,
    isRefused: name => all.has(name.toLowerCase()) && !mayCall(name),
    like: name => closeNames(name, [...names]),
    isAggregate: name => aggregates.has(name.toLowerCase()) || isCombined(name, aggregates),
  }
}

const PURE_OTHER_NAMES: ReadonlySet<string> = new Set(PURE_OTHERS)

const isPure = ({ name, origin, categories }: EngineFunction): boolean => {
  if (origin !== 'System' || IMPURE.has(name)) return false
  return categories.split(',').every(category => PURE_CATEGORIES.has(category)) || PURE_OTHER_NAMES.has(name)
}

const isCombined = (name: string, aggregates: ReadonlySet<string>): boolean => {
  const base = name.replace(COMBINATORS, '')
  return base !== name && (aggregates.has(base.toLowerCase()) || isCombined(base, aggregates))
}
