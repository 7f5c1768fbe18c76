/** This many matching characters are a form and not chance: 30 bits. */
export const SURE = 5

/** A form from `offset` on, with which a line may continue. */
export type Rest = {
  readonly form: Buffer
  readonly offset: number
  /** True if so much of the form was seen before that even a short remainder cannot be chance. */
  readonly isSure: boolean
}

/** The base64 forms of secrets, indexed by their first characters and by those after a break near their beginning. */
export class WrappedForms {
  /** Length of the longest form. */
  readonly longest: number
  /** How far a window of `SURE` bytes ending with these two can move before it may be the beginning of a form. */
  readonly #shift = new Uint8Array(65536).fill(SURE - 1)
  readonly #starts = new Map<number, Rest[]>()
  readonly #rests = new Map<number, Rest[]>()

  constructor(forms: readonly Buffer[]) {
    this.longest = forms.reduce((length, form) => Math.max(length, form.length), 0)
    for (const form of forms) {
      addTo(this.#starts, { form, offset: 0, isSure: false })
      for (let offset = 1; offset < SURE; offset++) {
        addTo(this.#rests, { form, offset, isSure: false })
        const block = form.readUInt16LE(offset - 1)
        this.#shift[block] = Math.min(this.#shift[block]!, SURE - 1 - offset)
      }
    }
  }

  /** The first position from `from` on where a form may begin with `SURE` bytes before `end`, or `end` if there is none. */
  nextStart(data: Buffer, from: number, end: number): number {
    for (let last = from + SURE - 1; last < end; ) {
      const shift = this.#shift[data[last - 1]! | (data[last]! << 8)]!
      if (shift === 0) return last - SURE + 1
      last += shift
    }
    return end
  }

  /** Forms that may begin here, judging by four bytes, which must exist. */
  startsAt(data: Buffer, at: number): readonly Rest[] {
    return this.#starts.get(data.readUInt32LE(at)) ?? NONE
  }

  /** Forms that may continue here after fewer than `SURE` characters, judging by four bytes. */
  restsAt(data: Buffer, at: number): readonly Rest[] {
    return this.#rests.get(data.readUInt32LE(at)) ?? NONE
  }
}

const NONE: readonly Rest[] = []

const addTo = (rests: Map<number, Rest[]>, rest: Rest): void => {
  const key = rest.form.readUInt32LE(rest.offset)
  const others = rests.get(key)
  if (others === undefined) rests.set(key, [rest])
  else others.push(rest)
}
