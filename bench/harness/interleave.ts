import { type Machine, TOLERABLE_DISTURBANCE } from './machine.ts'
import { median } from './statistics.ts'

/** Measures one slice of a side and gives its figure. */
export type Slice = () => Promise<number>

export type Round<Side extends string> = {
  readonly figures: Readonly<Record<Side, number>>
  readonly disturbance: number
}

/**
 * Measures sides against each other in slices ABAB… on one machine in one run. A round in which the machine was
 * disturbed is measured again, up to three times as many rounds as asked for; then the calmest ones count.
 */
export const interleave = async <Side extends string>(input: {
  machine: Machine
  sides: Readonly<Record<Side, Slice>>
  rounds: number
  note: (text: string) => void
}): Promise<readonly Round<Side>[]> => {
  const names = Object.keys(input.sides) as Side[]
  const rounds: Round<Side>[] = []
  const calm = () => rounds.filter(round => round.disturbance <= TOLERABLE_DISTURBANCE)
  while (calm().length < input.rounds && rounds.length < 3 * input.rounds) {
    const round = await measureRound(input.machine, input.sides, names)
    rounds.push(round)
    input.note(describeRound(round))
  }
  return rounds.sort((a, b) => a.disturbance - b.disturbance).slice(0, input.rounds)
}

const measureRound = async <Side extends string>(
  machine: Machine,
  sides: Readonly<Record<Side, Slice>>,
  names: readonly Side[],
): Promise<Round<Side>> => {
  const figures: Partial<Record<Side, number>> = {}
  let disturbance = 0
  for (const name of names) {
    const slice = await machine.watch(sides[name])
    figures[name] = slice.value
    disturbance = Math.max(disturbance, slice.disturbance)
  }
  return { figures: figures as Record<Side, number>, disturbance }
}

const describeRound = (round: Round<string>): string => {
  const figures = Object.entries(round.figures).map(([side, figure]) => `${side} ${figure.toFixed(2)}`)
  return `${figures.join(', ')} (disturbance ${round.disturbance.toFixed(2)})`
}

export type Ratio = {
  readonly ratio: number
  readonly a: number
  readonly b: number
  readonly spread: readonly [number, number]
}

/** The median of the ratios a : b of each round, with the two figures of just that round and the range of all. */
export const medianRatio = <Side extends string>(rounds: readonly Round<Side>[], a: Side, b: Side): Ratio => {
  const ratios = rounds.map(round => round.figures[a] / round.figures[b])
  const ratio = median(ratios)
  const middle = rounds[ratios.indexOf(ratio)]!
  return {
    ratio,
    a: middle.figures[a],
    b: middle.figures[b],
    spread: [Math.min(...ratios), Math.max(...ratios)],
  }
}
