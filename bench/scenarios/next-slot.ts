import { startContestant } from '../harness/contestant.ts'
import { interleave, medianRatio } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import { type Row, round } from '../harness/result.ts'
import type { Scenario } from '../harness/scenario.ts'

const SLOTS = { millrace: 400_000, croner: 4000 }

/** The next slot of one rule in a zone whose clock moves, one after the other, by us and by croner. */
export const scenario: Scenario = {
  name: 'next-slot',
  about: 'the next slot of "every quarter of an hour from 9 to 17 on workdays" in Berlin: Millrace and croner',
  async run(context) {
    const contestant = await startContestant(context, { module: 'contestants/slots.ts', options: {} })
    const machine = await openMachine()
    try {
      await Promise.all([contestant.call('millrace', SLOTS.millrace), contestant.call('croner', SLOTS.croner)])
      const rounds = await interleave({
        machine,
        sides: {
          millrace: () => contestant.call<number>('millrace', SLOTS.millrace),
          croner: () => contestant.call<number>('croner', SLOTS.croner),
        },
        rounds: context.rounds,
        note: context.note,
      })
      return rowsOf(medianRatio(rounds, 'millrace', 'croner'))
    } finally {
      await Promise.all([contestant.close(), machine.close()])
    }
  },
}

const rowsOf = ({ ratio, a, b, spread }: ReturnType<typeof medianRatio>): readonly Row[] => {
  const range = `rounds ${spread.map(one => one.toFixed(0)).join('…')} ×`
  return [
    {
      name: 'next-slot',
      value: a,
      unit: 'slots/s',
      bound: 100_000,
      good: 'at least',
      figures: 'a calendar, Europe/Berlin',
    },
    {
      name: 'next-slot/croner',
      value: ratio,
      unit: '×',
      bound: 4,
      good: 'at least',
      figures: `${round(a)} : ${round(b)} slots/s (${range})`,
    },
  ]
}
